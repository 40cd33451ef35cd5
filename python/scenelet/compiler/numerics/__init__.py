"""Integer arithmetic as the engine does it: multipliers, ranges, element-wise maps."""
