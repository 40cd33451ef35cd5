"""Depth-first segments: which steps run row by row together, by which kernels, in which memory."""
