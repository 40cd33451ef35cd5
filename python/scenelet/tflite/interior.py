"""Cuts operators off the ends of a .tflite file, so that an interpreter can be given the tensors inside."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .object_model import pack, unpack


def cut(
    model: bytes, dropped: Collection[int], inputs: Sequence[int], outputs: Sequence[int], source: object = "model"
) -> bytes:
    """Drop some operators of a model.

    Parameters
    ----------
    model
        Content of a .tflite file.
    dropped
        Positions of the operators of its first subgraph that go.
    inputs, outputs
        Tensors that become the model's inputs and outputs.
    source
        Names the model in errors.

    Returns
    -------
    bytes
        A .tflite file in which every tensor keeps its index; without signatures, which name the old ends.

    Raises
    ------
    ModelError
        The content is not a .tflite file.
    """
    tree = unpack(model, source)
    graph = tree.subgraphs[0]
    graph.operators = [operator for number, operator in enumerate(graph.operators) if number not in dropped]
    graph.inputs, graph.outputs = list(inputs), list(outputs)
    tree.signatureDefs = None
    return pack(tree)
