"""The page of a comparison of models."""

from .page import write_comparison

__all__ = ["write_comparison"]
