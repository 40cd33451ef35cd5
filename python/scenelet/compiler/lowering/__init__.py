"""Turns every operator into a call of one of the engine's kernels, with its constants as that kernel wants them.

The parameter structs, their units and the packed layouts are stated in firmware/lib/engine/scn_engine.h.
"""

from __future__ import annotations

from collections.abc import Callable

from ...graph import Graph
from ..passes import aliases
from ..program import Program, Step
from . import convolutions, elementwise, movers, windows
from .layer import Layer

_MAKERS: dict[str, Callable[[Layer], Step]] = {
    "ADD": elementwise.add,
    "AVERAGE_POOL_2D": windows.average_pool,
    "CONV_2D": convolutions.convolution,
    "DEPTHWISE_CONV_2D": convolutions.depthwise,
    "FULLY_CONNECTED": convolutions.fully_connected,
    "MAX_POOL_2D": windows.max_pool,
    "MEAN": windows.mean,
    "MUL": elementwise.multiply,
    "PAD": movers.pad,
    "PRELU": elementwise.prelu,
    "QUANTIZE": movers.quantize,
    "RESHAPE": movers.copy,
    "SOFTMAX": windows.softmax,
}


def lower(graph: Graph) -> Program:
    """Make a program of a graph.

    Parameters
    ----------
    graph
        Held to :func:`scenelet.compiler.support.require_supported`, without dead operators.

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
