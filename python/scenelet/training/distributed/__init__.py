"""Data-parallel training of one network by several workers."""
