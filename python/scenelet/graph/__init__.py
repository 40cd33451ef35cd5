"""Networks as graphs, how they are built, what they cost, and the limits that they are held to."""

from .graph import Graph, Operator, Quantization, Tensor

__all__ = ["Graph", "Operator", "Quantization", "Tensor"]
