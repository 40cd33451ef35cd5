"""CONV_2D by Winograd's algorithms along both axes: its variants, its weights, and how its sums are rescaled."""
