"""Turns every operator into a call of one of the engine's kernels, with its constants as that kernel wants them.

The parameter structs, their units and the packed layouts are stated in firmware/lib/engine/scn_engine.h.
"""

from __future__ import annotations

from collections.abc import Callable

from ...graph import Graph
from ..passes.graph_cleanup import aliases
from ..program import Program, Step
from . import convolution, data_movement, elementwise, pooling
from .layer import Layer

_MAKERS: dict[str, Callable[[Layer], Step]] = {
    "ADD": elementwise.add,
    "AVERAGE_POOL_2D": pooling.average_pool,
    "CONV_2D": convolution.convolution,
    "DEPTHWISE_CONV_2D": convolution.depthwise,
    "FULLY_CONNECTED": convolution.fully_connected,
    "MAX_POOL_2D": pooling.max_pool,
    "MEAN": pooling.mean,
    "MUL": elementwise.multiply,
    "PAD": data_movement.pad,
    "PRELU": elementwise.prelu,
    "QUANTIZE": data_movement.quantize,
    "RESHAPE": data_movement.copy,
    "SOFTMAX": pooling.softmax,
}


def lower(graph: Graph) -> Program:
    """Make a program of a graph.

    Parameters
    ----------
    graph
        Held to :func:`scenelet.compiler.operators.checker.require_supported`, without dead operators.

    Returns
    -------
    Program
        One step an operator, but none for an operator whose output is an alias.
    """
    renamed = aliases(graph)
    steps = [
        _MAKERS[operator.op](Layer(graph, operator, renamed))
        for operator in graph.operators
        if operator.outputs[0] not in renamed
    ]
    return Program(graph, tuple(steps), renamed)
