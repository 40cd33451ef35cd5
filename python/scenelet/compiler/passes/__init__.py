"""Rewrites of graph and program that leave every result the same to the bit."""
