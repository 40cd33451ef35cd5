"""Cost of a graph by the challenge's counting rules (those of its official tool, NeSsi), but for FULLY_CONNECTED.

=====================  =====================================================
operator               multiply-accumulates
=====================  =====================================================
CONV_2D                n * oh * ow * oc * kh * kw * ic
DEPTHWISE_CONV_2D      n * oh * ow * oc * kh * kw
FULLY_CONNECTED        rows * inputs * outputs
TRANSPOSE_CONV         n * ih * iw * oc * kh * kw * ic
BATCH_MATMUL           n * rows * columns * depth
SVDF                   n * filters * (inputs + memory)
LSTM                   n * steps * 4 * cells * (inputs + cells)
ADD                    elements
MEAN                   n * ih * iw * c
pools                  n * oh * ow * c * kh * kw
all others, and bias   0
=====================  =====================================================

NeSsi counts FULLY_CONNECTED as the last dimension of its input times its outputs. That leaves products out where the
operator flattens a feature map, or has more than one row: a dense layer of 16,000 products may count as 32. The limit
is one on work, so it is held to the products; NeSsi's own figure stands beside it.

Parameter bytes are those of all constant inputs of operators; a constant that several operators share counts once.
Memory is the maximum over operators of the bytes of all live non-constant tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .graph import Graph, Operator, Tensor


@dataclass(frozen=True)
class LayerCost:
    """Cost of one operator; ``live_bytes`` are those of the non-constant tensors alive while it runs."""

    name: str
    op: str
    output_shape: tuple[int, ...]
    params_bytes: int
    macs: int
    live_bytes: int


@dataclass(frozen=True)
class Cost:
    """Cost of a graph, in all and by layer in execution order; ``macs_nessi`` is what the challenge's tool says."""

    params_bytes: int
    macs: int
    macs_nessi: int
    peak_activation_bytes: int
    layers: tuple[LayerCost, ...]


def macs(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one operator, by the module's table."""
    tensors = graph.tensors
    source, target = tensors[operator.inputs[0]], tensors[operator.outputs[0]]
    if operator.op == "CONV_2D":
        _, height, width, channels = tensors[operator.inputs[1]].shape
        return target.elements * height * width * channels
    if operator.op == "DEPTHWISE_CONV_2D":
        _, height, width, _ = tensors[operator.inputs[1]].shape
        return target.elements * height * width
    if operator.op == "FULLY_CONNECTED":
        return target.elements * tensors[operator.inputs[1]].shape[1]
    if operator.op == "TRANSPOSE_CONV":
        channels, height, width, _ = tensors[operator.inputs[1]].shape
        return tensors[operator.inputs[2]].elements * height * width * channels
    if operator.op == "BATCH_MATMUL":
        return target.elements * source.shape[-2 if operator.attributes.get("adj_x", False) else -1]
    if operator.op == "SVDF":
        filters, inputs = tensors[operator.inputs[1]].shape
        return filters * (inputs + tensors[operator.inputs[2]].shape[1]) * (source.elements // inputs)
    if operator.op == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        # Weights of the output gate, which every form of it has.
        cells, inputs = tensors[operator.inputs[4]].shape
        return 4 * cells * (inputs + cells) * (source.elements // inputs)
    if operator.op == "ADD":
        return target.elements
    if operator.op == "MEAN":
        return source.elements
    if operator.op in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
        return target.elements * int(operator.attributes["filter_height"]) * int(operator.attributes["filter_width"])
    return 0


def macs_nessi(graph: Graph, operator: Operator) -> int:
    """Multiply-accumulates of one operator as NeSsi counts them."""
    if operator.op != "FULLY_CONNECTED":
        return macs(graph, operator)
    return graph.tensors[operator.inputs[0]].shape[-1] * graph.tensors[operator.inputs[1]].shape[0]


def lifetimes(graph: Graph) -> dict[int, tuple[int, int]]:
    """First and last position of the operators between which each non-constant tensor is alive, by tensor index.

    Graph inputs live from position 0; graph outputs to the last position; variables always.
    """
    last = len(graph.operators) - 1
    alive = dict.fromkeys(graph.inputs, (0, 0))
    for position, operator in enumerate(graph.operators):
        for index in operator.outputs:
            alive[index] = (position, position)
        for index in operator.inputs:
            if index in alive:
                alive[index] = (alive[index][0], position)
    for index in graph.outputs:
        if index in alive:
            alive[index] = (alive[index][0], last)
    return alive | dict.fromkeys(graph.variables, (0, last))


def _constants(graph: Graph, operator: Operator, seen: set[int]) -> list[Tensor]:
    fresh = []
    for index in operator.inputs:
        if index >= 0 and graph.tensors[index].constant and index not in seen:
            seen.add(index)
            fresh.append(graph.tensors[index])
    return fresh


def count(graph: Graph) -> Cost:
    """Count a graph's parameters, multiply-accumulates and memory, by layer."""
    alive = lifetimes(graph)
    seen: set[int] = set()
    layers = []
    for position, operator in enumerate(graph.operators):
        live = sum(graph.tensors[i].nbytes for i, (first, last) in alive.items() if first <= position <= last)
        layers.append(
            LayerCost(
                graph.layer_name(operator),
                operator.op,
                graph.tensors[operator.outputs[0]].shape,
                sum(tensor.nbytes for tensor in _constants(graph, operator, seen)),
                macs(graph, operator),
                live,
            )
        )
    return Cost(
        sum(layer.params_bytes for layer in layers),
        sum(layer.macs for layer in layers),
        sum(macs_nessi(graph, operator) for operator in graph.operators),
        max((layer.live_bytes for layer in layers), default=0),
        tuple(layers),
    )


@dataclass(frozen=True)
class ClipHeadSize:
    """Size of a clip head (:mod:`scenelet.tflite.clip_head`): values of an embedding, statistics of each, windows."""

    width: int
    statistics: int
    windows: int
    classes: int

    @property
    def inputs(self) -> int:
        """Number of statistics that a class's sum is over."""
        return self.statistics * self.width

    @property
    def params_bytes(self) -> int:
        """Bytes of weights (INT8) and biases (INT32)."""
        return self.classes * (self.inputs + 4)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one answer: one per weight, and one per value that a statistic reads."""
        return (self.classes + self.windows) * self.inputs

    @property
    def ram_bytes(self) -> int:
        """Memory: embeddings, that of the newest window twice, statistics (16 bits), logits (32 bits) and scores."""
        return (self.windows + 1) * self.width + 2 * self.inputs + 5 * self.classes


def with_clip_head(cost: Cost, size: ClipHeadSize) -> Cost:
    """Add a clip head, whose memory is kept while the network runs."""
    layer = LayerCost("clip_head", "CLIP_HEAD", (1, size.classes), size.params_bytes, size.macs, size.ram_bytes)
    return replace(
        cost,
        params_bytes=cost.params_bytes + size.params_bytes,
        macs=cost.macs + size.macs,
        macs_nessi=cost.macs_nessi + size.macs,
        peak_activation_bytes=cost.peak_activation_bytes + size.ram_bytes,
        layers=(*cost.layers, layer),
    )
