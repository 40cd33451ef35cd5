"""Canonical form of a freshly converted .tflite file: tensors named after layers, no operator without effect."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ai_edge_litert import schema_py_generated as schema

_CONSTANTS = {
    schema.BuiltinOperator.CONV_2D: ("kernel", "bias"),
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: ("kernel", "bias"),
    schema.BuiltinOperator.FULLY_CONNECTED: ("kernel", "bias"),
    schema.BuiltinOperator.MUL: ("scale",),
    schema.BuiltinOperator.ADD: ("offset",),
    schema.BuiltinOperator.MEAN: ("axes",),
}
_OWN = {schema.BuiltinOperator.DEPTHWISE_CONV_2D: "depthwise", schema.BuiltinOperator.ADD: "Add"}
_SUFFIX = {schema.BuiltinOperator.MUL: "/mul", schema.BuiltinOperator.ADD: "/add"}


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _layer(name: Any, layers: Sequence[str], own: str) -> str | None:
    """Keras layer of a converter's tensor name such as ``sm1_1/conv2_1/Relu;sm1_1/...``; None if it is not known.

    The name of a fused tensor joins those of all its parts; the part that ends with ``own`` takes precedence.
    """
    names = [part.split("/") for part in _text(name).split(";")]
    parts = next((parts for parts in names if parts[-1] == own), names[0])
    stem = re.sub(r"_\d+$", "", parts[1]) if len(parts) > 2 else ""
    return stem if stem in layers else None


def rename(tree: Any, layers: Sequence[str]) -> None:
    """Name tensors after Keras layers, as in the recipe's graph: ``conv2``, ``conv2/bias``, ``bn2/mul``."""
    graph = tree.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = "features"
    named: set[int] = set(graph.inputs)
    for operator in graph.operators:
        code = tree.operatorCodes[operator.opcodeIndex].builtinCode
        tensors = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
        # The name of the weights is the most reliable one: the output of a folded convolution is named after the last
        # operation fused into it. A residual ADD has no weights, and its second operand is another layer's.
        weights = [tensor for tensor in tensors[1:2] if tree.buffers[tensor.buffer].data is not None]
        candidates = [_layer(tensor.name, layers, _OWN.get(code, "")) for tensor in (*weights, tensors[-1])]
        layer = next(filter(None, candidates), None)
        if code == schema.BuiltinOperator.SOFTMAX:
            layer = "softmax"
        if layer is None:
            continue
        graph.tensors[operator.outputs[0]].name = layer + (_SUFFIX.get(code, "") if weights else "")
        named.add(operator.outputs[0])
        for index, role in zip(operator.inputs[1:], _CONSTANTS.get(code, ()), strict=False):
            if index >= 0 and index not in named:
                graph.tensors[index].name = role if role == "axes" else f"{layer}/{role}"
                named.add(index)


def _flattens(graph: Any, reshape: Any, consumers: list[Any], codes: list[int]) -> bool:
    """Whether a RESHAPE only flattens a feature map for FULLY_CONNECTED operators, which flatten it themselves."""
    shape = graph.tensors[reshape.outputs[0]].shape
    dense = [codes[user.opcodeIndex] == schema.BuiltinOperator.FULLY_CONNECTED for user in consumers]
    return bool(dense) and all(dense) and len(shape) == 2 and shape[0] == 1 and reshape.outputs[0] not in graph.outputs


def drop_reshapes(tree: Any) -> None:
    """Remove each RESHAPE before a FULLY_CONNECTED: it computes nothing, and its constant counts as parameters."""
    graph = tree.subgraphs[0]
    codes = [code.builtinCode for code in tree.operatorCodes]
    kept = []
    for operator in graph.operators:
        if codes[operator.opcodeIndex] == schema.BuiltinOperator.RESHAPE:
            consumers = [user for user in graph.operators if operator.outputs[0] in user.inputs]
            if _flattens(graph, operator, consumers, codes):
                for user in consumers:
                    user.inputs = [operator.inputs[0] if i == operator.outputs[0] else i for i in user.inputs]
                continue
        kept.append(operator)
    graph.operators = kept
    _drop_unused(tree)


def _references(tree: Any) -> Iterator[tuple[Any, str]]:
    """Every list of tensor indices, as (owner, attribute)."""
    graph = tree.subgraphs[0]
    yield graph, "inputs"
    yield graph, "outputs"
    for operator in graph.operators:
        yield operator, "inputs"
        yield operator, "outputs"


def _drop_unused(tree: Any) -> None:
    """Remove tensors, operator codes and constants without references."""
    graph = tree.subgraphs[0]
    used = sorted({int(i) for owner, name in _references(tree) for i in getattr(owner, name) if i >= 0})
    place = {old: new for new, old in enumerate(used)}
    for owner, name in _references(tree):
        setattr(owner, name, [place.get(int(i), -1) for i in getattr(owner, name)])
    for signature in tree.signatureDefs or []:
        for entry in (*(signature.inputs or []), *(signature.outputs or [])):
            entry.tensorIndex = place[entry.tensorIndex]
    graph.tensors = [graph.tensors[old] for old in used]
    codes = sorted({operator.opcodeIndex for operator in graph.operators})
    for operator in graph.operators:
        operator.opcodeIndex = codes.index(operator.opcodeIndex)
    tree.operatorCodes = [tree.operatorCodes[old] for old in codes]
    alive = {tensor.buffer for tensor in graph.tensors} | {entry.buffer for entry in tree.metadata or []}
    for number, buffer in enumerate(tree.buffers):
        if number not in alive:
            buffer.data = None
