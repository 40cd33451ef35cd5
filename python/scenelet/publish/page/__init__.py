"""Pages of HTML that need nothing else: their frame, style and charts. No scripts, nothing from the network."""
