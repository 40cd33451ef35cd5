"""The reader gives the graph that was written, and a ModelError for every file that is not whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder, random_network
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.pipeline import compile_model
from scenelet.errors import ModelError, UnsupportedError
from scenelet.graph import Graph
from scenelet.tflite import object_model
from scenelet.tflite.reader import read_model

MODEL = random_network(3, 4)


def conv_graph() -> Graph:
    network = NetworkBuilder(1, (1, 6, 5, 3))
    out = network.convolution(network.start, 4, (3, 2), stride=(2, 1), dilation=(1, 1), activation="RELU6")
    return network.builder.graph(out)


def complaint(model: bytes) -> str:
    """What is said of a model; empty where it compiles. Any other exception fails the test."""
    try:
        compile_model(model).files()
    except ModelError as error:
        return str(error)
    return ""


def test_reads_back_what_was_written() -> None:
    graph = conv_graph()
    read = read_model(write_model(graph))
    assert read.inputs == graph.inputs
    assert read.outputs == graph.outputs
    assert [(o.op, o.inputs, o.outputs) for o in read.operators] == [
        (o.op, o.inputs, o.outputs) for o in graph.operators
    ]
    attributes = read.operators[0].attributes
    assert attributes["padding"] == "SAME"
    assert (attributes["stride_h"], attributes["stride_w"]) == (2, 1)
    assert attributes["fused_activation_function"] == "RELU6"
    for index, tensor in graph.tensors.items():
        got = read.tensors[index]
        assert (got.shape, got.dtype, got.constant) == (tensor.shape, tensor.dtype, tensor.constant)
        if tensor.data is not None:
            np.testing.assert_array_equal(got.data, tensor.data)
        if tensor.quantization is not None:
            assert got.quantization is not None
            np.testing.assert_array_equal(got.quantization.scale, tensor.quantization.scale)
            np.testing.assert_array_equal(got.quantization.zero_point, tensor.quantization.zero_point)
            assert got.quantization.axis == tensor.quantization.axis


def test_graph_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "forest.tflite"
    path.write_bytes(MODEL)
    assert read_model(path).name == "forest"
    link = tmp_path / "default.tflite"
    link.symlink_to(path)
    assert read_model(link).name == "forest"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.tflite: no such file; give the path"):
        read_model(tmp_path / "gone.tflite")


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r": is a folder; give the path of a \.tflite model"):
        read_model(tmp_path)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.tflite").touch()
    with pytest.raises(ModelError, match=r"empty\.tflite: is empty \(0 bytes\); convert or copy it again"):
        read_model(tmp_path / "empty.tflite")


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n", b"TFL3", b"RIFF" + b"\0" * 100, MODEL[:7]])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"clip\.wav: not a \.tflite file"):
        read_model(path)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_cut_file_is_refused(tmp_path: Path, part: float) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(MODEL[: int(part * len(MODEL))])
    with pytest.raises(ModelError, match=r"cut\.tflite: damaged or cut short.*; convert or copy it again"):
        read_model(path)


def test_no_cut_escapes_or_changes_the_graph() -> None:
    whole = read_model(MODEL)
    for length in range(0, len(MODEL), 7):
        try:
            read = read_model(MODEL[:length])
        except ModelError:
            continue
        # Only padding behind the last buffer may be missing.
        assert len(MODEL) - length < 16
        assert [o.op for o in read.operators] == [o.op for o in whole.operators]


@settings(max_examples=400, deadline=None)
@example(400, 44)
@given(st.integers(0, len(MODEL) - 1), st.integers(1, 255))
def test_no_flipped_byte_escapes(position: int, flip: int) -> None:
    damaged = bytearray(MODEL)
    damaged[position] ^= flip
    assert "\n" not in complaint(bytes(damaged))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(8, len(MODEL) - 4), st.integers(0, 2**32 - 1)), min_size=1, max_size=4))
def test_no_overwritten_word_escapes(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(MODEL)
    for position, word in changes:
        damaged[position : position + 4] = word.to_bytes(4, "little")
    assert "\n" not in complaint(bytes(damaged))


def test_custom_operator_is_named() -> None:
    graph = conv_graph()
    odd = replace(graph.operators[0], op="CUSTOM", attributes={})
    model = write_model(replace(graph, operators=(odd,)))
    with pytest.raises(UnsupportedError, match="operator 0 is the custom operator"):
        read_model(model)


def test_reading_before_writing_is_damage() -> None:
    network = GraphBuilder("loop")
    x = network.input((1, 4), 0.1, 0)
    y = network.operator("SOFTMAX", (x,), (1, 4), 1 / 256, -128, beta=1.0)
    graph = network.graph(y)
    turned = replace(graph.operators[0], inputs=(y,))
    with pytest.raises(ModelError, match="reads tensor 1 before it is written"):
        read_model(write_model(replace(graph, operators=(turned,))))


def test_missing_convolution_options_are_damage() -> None:
    graph = conv_graph()
    bare = replace(graph.operators[0], op="CONV_2D", attributes={})
    model = bytearray(write_model(replace(graph, operators=(bare,))))
    # An empty table means stride 0, which no shape fits.
    with pytest.raises(ModelError, match="stride"):
        compile_model(bytes(model))


def test_an_operator_that_passes_values_on_keeps_their_type() -> None:
    network = NetworkBuilder(2, (1, 6, 6, 2))
    graph = network.builder.graph(network.reshape(network.start, (1, 72)))
    odd = replace(graph.tensors[graph.outputs[0]], dtype="int64")
    with pytest.raises(ModelError, match="operator 0, RESHAPE, makes int64 of int8"):
        read_model(write_model(replace(graph, tensors={**graph.tensors, odd.index: odd})))


@pytest.mark.parametrize(("deprecated", "code"), [(0, 25), (25, 0), (25, 25), (1, 25), (25, 14)])
def test_an_operators_number_is_the_larger_of_its_two_fields(deprecated: int, code: int) -> None:
    network = GraphBuilder("numbers")
    x = network.input((1, 4), 0.1, 0)
    y = network.operator("SOFTMAX", (x,), (1, 4), 1 / 256, -128, beta=1.0)
    tree = object_model.unpack(write_model(network.graph(y)))
    tree.operatorCodes[0].deprecatedBuiltinCode, tree.operatorCodes[0].builtinCode = deprecated, code
    assert [operator.op for operator in read_model(object_model.pack(tree)).operators] == ["SOFTMAX"]


@pytest.mark.parametrize("zero_points", [None, []])
def test_scales_without_zero_points_are_damage(zero_points: list[int] | None) -> None:
    """LiteRT refuses such a file, and TensorFlow Lite Micro takes the tensor for one without quantization."""
    tree = object_model.unpack(write_model(conv_graph()))
    tree.subgraphs[0].tensors[-1].quantization.zeroPoint = zero_points
    with pytest.raises(ModelError, match=r"has 1 scales and 0 zero points"):
        read_model(object_model.pack(tree))
