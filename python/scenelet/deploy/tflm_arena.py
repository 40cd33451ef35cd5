"""What arena a TensorFlow Lite Micro program needs on a Cortex-M4: activations and the working memory of CMSIS-NN.

TensorFlow Lite Micro on this computer has reference kernels, most of which need no working memory; a board has
CMSIS-NN. Each of its kernels states what it needs (the ``_get_buffer_size`` functions of arm_nnfunctions.h), and
TensorFlow Lite Micro plans that memory with the activations: by size, the largest first, each into the lowest gap
between those that are alive at the same time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..compiler.numerics.ranges import padding_before
from ..graph import Graph, Operator

_ALIGNMENT = 16
_INT16, _INT32 = 2, 4
_REVERSED_FROM = 16
"""Input channels over which CMSIS-NN runs a TRANSPOSE_CONV of stride 1 or 2 as a convolution."""
_VIEW, _REQUEST, _MOST_REQUESTS = 64, 16, 12
"""Bytes of a tensor's structure and of a request for working memory; requests that an operator has room for."""
_ALLOCATION, _PLANNED = 32, 36
"""Bytes of the planner's lists for a tensor of the file, and for one that it places."""
_HANDLES = 32
"""Bytes that an operator's structures in the arena may be larger with CMSIS-NN, working memory's handles included."""


def arena_bytes(graph: Graph, head: int, tail: int) -> int:
    """Bound the arena that a model needs on a Cortex-M4.

    Parameters
    ----------
    graph
        As read, every tensor and operator of the file.
    head, tail
        What TensorFlow Lite Micro measured on this computer: activations, and structures with pointers of 64 bits.

    Returns
    -------
    int
        Bytes, a multiple of 16: enough with CMSIS-NN, and with the reference kernels.
    """
    needed = [_aligned(size) for operator in graph.operators for size in working_bytes(graph, operator)]
    planned = planned_bytes(graph)
    if planned_bytes(graph, working=False) != head:
        # Reference kernels that work in memory of their own, or tensors that TensorFlow Lite Micro has besides.
        planned = max(planned, head + max(needed, default=0))
    return _aligned(max(planned, _setup_bytes(graph, len(needed))) + tail + _HANDLES * len(needed))


def _setup_bytes(graph: Graph, buffers: int) -> int:
    """Bytes that lie where activations will be while the interpreter is set up, with pointers of 64 bits.

    Above the list of working memory that was asked for, every operator in turn looks at its tensors; then the planner
    has its own lists there.
    """
    looked_at = max((len(operator.inputs) + len(operator.outputs) for operator in graph.operators), default=0)
    asked = _REQUEST * (_MOST_REQUESTS + buffers)
    lists = _ALLOCATION * (len(graph.tensors) + buffers) + _PLANNED * (len(_blocks(graph, False)) + buffers)
    return asked + max(_VIEW * looked_at, _aligned(lists))


def working_bytes(graph: Graph, operator: Operator) -> list[int]:
    """Sizes of the buffers that CMSIS-NN's kernel of an operator works in, with SIMD and without Helium."""
    sizes = _WORKING.get(operator.op)
    return [size for size in sizes(graph, operator) if size] if sizes else []


def planned_bytes(graph: Graph, *, working: bool = True) -> int:
    """Plan activations, with ``working`` also working memory, as TensorFlow Lite Micro does: the end of the last."""
    blocks = sorted(_blocks(graph, working), key=lambda block: -block.size)
    placed: list[tuple[int, _Block]] = []
    for block in blocks:
        offset = 0
        for start, other in sorted((pair for pair in placed if block.meets(pair[1])), key=lambda pair: pair[0]):
            if start - offset >= block.size:
                break
            offset = max(offset, start + other.size)
        placed.append((offset, block))
    return max((offset + block.size for offset, block in placed), default=0)


@dataclass(frozen=True)
class _Block:
    """Memory that is alive from one operator to another."""

    size: int
    first: int
    last: int

    def meets(self, other: _Block) -> bool:
        """Whether both are alive at one time."""
        return self.first <= other.last and other.first <= self.last


def _blocks(graph: Graph, working: bool) -> list[_Block]:
    """All blocks in the order in which TensorFlow Lite Micro takes equal ones: the last one first."""
    alive: dict[int, tuple[int, int]] = dict.fromkeys(graph.inputs, (0, 0))
    buffers = []
    for time, operator in enumerate(graph.operators, 1):
        for index in operator.outputs:
            alive[index] = (alive.get(index, (time, time))[0], time)
        for index in operator.inputs:
            if index in alive:
                alive[index] = (alive[index][0], time)
        if working:
            buffers += [_Block(_aligned(size), time, time) for size in working_bytes(graph, operator)]
    for index in graph.outputs:
        if index in alive:
            alive[index] = (alive[index][0], len(graph.operators))
    tensors = [_Block(_aligned(graph.tensors[index].nbytes), *alive[index]) for index in sorted(alive)]
    return [*tensors, *buffers][::-1]


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _convolution(graph: Graph, operator: Operator) -> list[int]:
    """Two windows of int16; of a kernel of one pixel, which some compilers' loops widen, two pixels."""
    _, rows, columns, channels = graph.tensors[operator.inputs[0]].shape
    _, height, width, _ = graph.tensors[operator.inputs[1]].shape
    options = operator.attributes
    dilated = options.get("dilation_h_factor", 1) != 1 or options.get("dilation_w_factor", 1) != 1
    if (height, width) == (1, 1) and not dilated and not any(_pads(graph, operator, rows, columns, height, width)):
        return [2 * channels * _INT16]
    return [_windows(height * width * channels)]


def _windows(taps: int) -> int:
    return 2 * -(-taps // 4) * 4 * _INT16


def _pads(graph: Graph, operator: Operator, rows: int, columns: int, height: int, width: int) -> tuple[int, int]:
    options = operator.attributes
    if options["padding"] != "SAME":
        return 0, 0
    _, out_rows, out_columns, _ = graph.tensors[operator.outputs[0]].shape
    dilation_h, dilation_w = int(options.get("dilation_h_factor", 1)), int(options.get("dilation_w_factor", 1))
    return (
        padding_before(rows, height, int(options["stride_h"]), dilation_h, out_rows),
        padding_before(columns, width, int(options["stride_w"]), dilation_w, out_columns),
    )


def _depthwise(graph: Graph, operator: Operator) -> list[int]:
    """One window of int16; none for 3x3 and for what the plain kernel runs."""
    batch, rows, columns, channels = graph.tensors[operator.inputs[0]].shape
    _, height, width, outputs = graph.tensors[operator.inputs[1]].shape
    options = operator.attributes
    dilated = options.get("dilation_h_factor", 1) != 1 or options.get("dilation_w_factor", 1) != 1
    if channels != outputs or batch != 1 or dilated:
        return []
    if (height, width) == (3, 3) and max(_pads(graph, operator, rows, columns, height, width)) <= 1:
        return []
    return [channels * height * width * _INT16]


def _dense(graph: Graph, operator: Operator) -> list[int]:
    """Nothing for two dimensions; of more, the factors of all outputs and two rows of int16."""
    outputs, depth = graph.tensors[operator.inputs[1]].shape
    if len(graph.tensors[operator.outputs[0]].shape) <= 2 or depth % 4:
        return []
    return [2 * outputs * _INT32, 2 * depth * _INT16]


def _average_pool(graph: Graph, operator: Operator) -> list[int]:
    """A sum for each channel."""
    return [graph.tensors[operator.inputs[0]].shape[-1] * _INT32]


def _transpose_conv(graph: Graph, operator: Operator) -> list[int]:
    """Sums of the rows that an input row reaches; or two windows and the weights, turned round."""
    _, _, columns, depth = graph.tensors[operator.inputs[2]].shape
    channels, height, width, _ = graph.tensors[operator.inputs[1]].shape
    stride_h, stride_w = int(operator.attributes["stride_h"]), int(operator.attributes["stride_w"])
    if max(stride_h, stride_w) <= 2 and depth > _REVERSED_FROM:
        return [_windows(height * width * depth), depth * height * width * channels]
    reached = ((columns - 1) * stride_w + max(width, stride_h)) * channels
    return [reached * max(height, stride_h) * _INT32, math.prod(graph.tensors[operator.outputs[0]].shape) * _INT32]


_WORKING: Mapping[str, Callable[[Graph, Operator], list[int]]] = {
    "AVERAGE_POOL_2D": _average_pool,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "TRANSPOSE_CONV": _transpose_conv,
}
"""Operators whose CMSIS-NN kernels work in memory of their own."""
