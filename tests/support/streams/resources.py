"""Random networks with resource variables: streaming convolutions, MixConv, recurrences, and odd orders of access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from networks import MIXED_LAYERS, NetworkBuilder, head, random_layer
from tflite_writer import GraphBuilder, write_model

_LAYERS = ("memory", "memory", "mixed kernels", "running", "late", "twice", "constant", "plain", "plain")


class StreamBuilder(NetworkBuilder):
    """A network with resource variables, and the subgraph that gives them their initial values."""

    def __init__(
        self, seed: int, shape: Sequence[int], outer: str = "int8", quantization: tuple[float, int] | None = None
    ) -> None:
        super().__init__(seed, shape, quantization, outer=outer)
        self.once = GraphBuilder("once")
        self.builder.call_once()
        self._names = 0

    def variable(self, tensor: int, shape: Sequence[int], initial: str = "zero point") -> int:
        """A variable for values quantised as a tensor is: its handle."""
        self._names += 1
        name = f"stream_{self._names}/states"
        values = np.full(tuple(shape), self.same_quantization(tensor)[1], np.int8)
        if initial == "random":
            values = self.chance.integers(-128, 128, tuple(shape)).astype(np.int8)
        if initial != "none":
            self.once.assign(self.once.handle(name), self.once.constant(values, *self.same_quantization(tensor)))
        return self.builder.handle(name)

    def recall(self, handle: int, tensor: int, shape: Sequence[int] | None = None) -> int:
        """Read a variable as values quantised as a tensor is."""
        return self.builder.read(handle, shape or self.shape(tensor), *self.same_quantization(tensor))

    def remembered(self, source: int, rows: int, initial: str = "zero point") -> int:
        """A map with so many of the rows before it: a variable read, joined and assigned, as streaming layers do it."""
        batch, fresh, *rest = self.shape(source)
        shape = (batch, rows, *rest)
        handle = self.variable(source, shape, initial)
        joined = self.concatenate((self.recall(handle, source, shape), source), 1)
        zeros, strides = [0] * len(shape), [1] * len(shape)
        kept = self.strided_slice(
            joined, shape, [0, fresh, *zeros[2:]], [*zeros], strides, begin_mask=0b1101, end_mask=0b1111
        )
        self.builder.assign(handle, kept)
        return joined

    def stream_model(self, *outputs: int) -> bytes:
        """The .tflite of all that was added."""
        if not self.once.operators:  # a CALL_ONCE needs something to run
            self.once.assign(self.once.handle("unused"), self.once.constant(np.zeros((1, 1), np.int8), 1.0))
        return write_model(self.builder.graph(*outputs), self.once.graph())

    def move(self, op: str, *, to_end: bool) -> None:
        """Move all operators of a kind behind the last one, or before all that compute something."""
        operators = self.builder.operators
        bare = [one for one in operators if one.op in ("CALL_ONCE", "VAR_HANDLE")]
        moved = [one for one in operators if one.op == op]
        others = [one for one in operators if one.op not in ("CALL_ONCE", "VAR_HANDLE", op)]
        ordered = [*bare, *others, *moved] if to_end else [*bare, *moved, *others]
        self.builder.operators = [replace(one, index=number) for number, one in enumerate(ordered)]


def streaming(seed: int, layers: int) -> bytes:
    """Rows of a stream through layers that remember some of what was before."""
    chance = np.random.default_rng([seed, 2])
    rows, depth = int(chance.integers(1, 4)), int(chance.integers(1, 13))
    network = StreamBuilder(seed, (1, rows, 1, depth), outer=str(chance.choice(["int8", "int8", "uint8", "float32"])))
    made = [network.start]
    for _ in range(layers):
        made.append(_layer(network, chance, made))
    outputs = [network.left(head(network, chance, made[-1]), str(chance.choice(["int8", "uint8", "float32"])))]
    if chance.random() < 0.3:
        outputs.append(network.recall(network.variable(made[-1], (1, 2)), made[-1], (1, 2)))
    kind = chance.choice(["as built", "as built", "reads first", "assigned last"])
    if kind == "reads first" and not _assigned_before_read(network):
        network.move("READ_VARIABLE", to_end=False)
    if kind == "assigned last" and not _assigned_before_read(network):
        network.move("ASSIGN_VARIABLE", to_end=True)
    return network.stream_model(*outputs)


def _assigned_before_read(network: StreamBuilder) -> bool:
    """Whether a variable's first value comes from this network, so that its order may not be changed."""
    first: dict[int, str] = {}
    for operator in network.builder.operators:
        if operator.op in ("READ_VARIABLE", "ASSIGN_VARIABLE"):
            first.setdefault(operator.inputs[0], operator.op)
    return "ASSIGN_VARIABLE" in first.values()


def _layer(network: StreamBuilder, chance: np.random.Generator, made: list[int]) -> int:
    kind, source = str(chance.choice(_LAYERS)), made[-1]
    initial = str(chance.choice(["zero point", "zero point", "random"]))
    if kind == "memory":
        return _convolved(network, chance, network.remembered(source, int(chance.integers(1, 8)), initial))
    if kind == "mixed kernels":
        return mixed_kernels(network, chance, network.remembered(source, int(chance.integers(2, 9)), initial))
    if kind == "plain":
        return random_layer(network, chance, made, MIXED_LAYERS)
    handle = network.variable(source, network.shape(source), "none" if kind == "constant" else initial)
    if kind == "constant":
        network.builder.assign(handle, network.constant_like(source, network.shape(source)))
        return network.add(source, network.recall(handle, source))
    before = network.recall(handle, source)
    if kind == "running":
        after = network.add(before, source) if chance.random() < 0.5 else network.extremum("MAXIMUM", before, source)
        network.builder.assign(handle, after)
        return after
    network.builder.assign(handle, source)
    after = network.add(before, source)
    if kind == "twice":
        again = network.recall(handle, source)
        after = network.add(after, again)
        network.builder.assign(handle, after)
    return after


def _convolved(network: StreamBuilder, chance: np.random.Generator, source: int) -> int:
    """A convolution over all rows, or over fewer and some rows at a time."""
    height, width, depth = network.shape(source)[1:]
    kernel = (int(chance.integers(1, height + 1)), 1 if width == 1 else int(chance.integers(1, min(width, 3) + 1)))
    stride = (int(chance.integers(1, 4)), 1)
    if chance.random() < 0.5:
        return network.depthwise(source, kernel, stride=stride, padding="VALID", activation="RELU")
    channels = int(chance.integers(1, 2 * depth + 2))
    return network.convolution(source, channels, kernel, stride=stride, padding="VALID", activation="RELU")


def mixed_kernels(network: StreamBuilder, chance: np.random.Generator, source: int) -> int:
    """MixConv: groups of channels, each with a depthwise kernel of another length over the newest rows."""
    height, width, depth = network.shape(source)[1:]
    if depth == 1:
        return network.depthwise(source, (height, 1), padding="VALID")
    if depth % 2 == 0 and chance.random() < 0.5:
        groups = network.split(source, 3, 2)
    else:
        first = int(chance.integers(1, depth))
        groups = network.split_by_sizes(source, 3, (first, depth - first))
    made = []
    for group in groups:
        rows = int(chance.integers(1, height + 1))
        shape = (1, rows, width, network.shape(group)[3])
        newest = network.strided_slice(
            group, shape, [0, height - rows, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], begin_mask=0b1101, end_mask=0b1111
        )
        filtered = network.depthwise(newest, (rows, 1), padding="VALID")
        given = network.same_quantization(made[0]) if made else network.same_quantization(filtered)
        shape = network.shape(filtered)
        made.append(network.builder.operator("QUANTIZE", (filtered,), shape, *given) if made else filtered)
    return network.convolution(network.concatenate(made, 3), depth, (1, 1), activation="RELU")
