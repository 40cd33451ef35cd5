"""One training on several workers."""
