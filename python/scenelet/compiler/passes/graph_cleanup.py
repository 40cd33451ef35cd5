"""Small rewrites before code is made: each takes a graph and says what need not be computed.

A pass may only drop work whose result is known bit for bit: tensors keep the indices of the .tflite file, so every
target can still be compared tensor by tensor.
"""

from __future__ import annotations

from dataclasses import replace

from ...graph import Graph, Operator


def drop_unread(graph: Graph) -> Graph:
    """Drop operators whose outputs nobody needs.

    Parameters
    ----------
    graph
        Operators in execution order.

    Returns
    -------
    Graph
        With the operators that the graph's outputs, now or in a later inference, depend on; tensors are left alone.
    """
    read = {index for operator in graph.operators for index in operator.inputs}
    needed = set(graph.outputs) | read.intersection(graph.variables)
    kept: list[Operator] = []
    for operator in reversed(graph.operators):
        if needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return replace(graph, operators=tuple(reversed(kept)))
