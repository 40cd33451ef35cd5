"""Networks as graphs: how they are built, what they cost, and the limits on that cost."""

from .graph import Graph, Operator, Quantization, Tensor, Variable

__all__ = ["Graph", "Operator", "Quantization", "Tensor", "Variable"]
