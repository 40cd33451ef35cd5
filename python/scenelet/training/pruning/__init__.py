"""Filters pruned by their L1 norm."""
