"""A planned program as C text."""
