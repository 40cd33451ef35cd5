"""What every stage uses: files, processes, tools, templates, metrics."""
