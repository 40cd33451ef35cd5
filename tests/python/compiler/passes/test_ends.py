"""Float32 and uint8 inputs and outputs: converted as BUILTIN_REF does it, in Python and in C, and cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cffi
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from engine_library import source
from hypothesis import example, given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder
from numpy.typing import NDArray
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.passes import ends
from scenelet.compiler.pipeline import compile_model
from scenelet.core import toolchain
from scenelet.errors import InputError, UnsupportedError
from scenelet.evaluation import parity
from scenelet.graph import Graph
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget
from scenelet.tflite.reader import read_model

PROBE = """
#include "scn_quantization.h"
void to_int8(const float *from, int32_t count, float scale, int32_t zero, int8_t *to);
void from_int8(const int8_t *from, int32_t count, float scale, int32_t zero, float *to);
void to_int8(const float *from, int32_t count, float scale, int32_t zero, int8_t *to) {
    for (int32_t i = 0; i < count; ++i) {
        to[i] = scn_quantize_float(from[i], scale, zero);
    }
}
void to_int16(const float *from, int32_t count, float scale, int16_t *to, float *back);
void to_int16(const float *from, int32_t count, float scale, int16_t *to, float *back) {
    for (int32_t i = 0; i < count; ++i) {
        to[i] = scn_quantize_float_s16(from[i], scale);
        back[i] = scn_dequantize_float_s16(to[i], scale);
    }
}
void from_int8(const int8_t *from, int32_t count, float scale, int32_t zero, float *to) {
    for (int32_t i = 0; i < count; ++i) {
        to[i] = scn_dequantize_float(from[i], scale, zero);
    }
}
"""
DECLARED = """
void to_int16(const float *from, int32_t count, float scale, int16_t *to, float *back);
void to_int8(const float *from, int32_t count, float scale, int32_t zero, int8_t *to);
void from_int8(const int8_t *from, int32_t count, float scale, int32_t zero, float *to);
typedef struct { int32_t multiplier; int32_t shift; } scn_multiplier_t;
int8_t scn_quantize_u8(uint8_t value, int32_t zero_point_u8, scn_multiplier_t scale, int32_t zero_point);
uint8_t scn_dequantize_u8(int8_t value, int32_t zero_point, scn_multiplier_t scale, int32_t zero_point_u8);
int8_t scn_quantize_s16(int16_t value, int32_t zero_point_s16, scn_multiplier_t scale, int32_t zero_point);
int32_t scn_dequantize_s32(int16_t value, int32_t zero_point, scn_multiplier_t scale, int32_t zero_point_s32);
"""
ALL = np.arange(-128, 128).astype(np.int8)
scales = st.floats(2.0**-40, 2.0**20, width=32)
zero_points = st.integers(-128, 127)


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> tuple[cffi.FFI, Any]:
    probe = tmp_path_factory.mktemp("ends") / "quantization_probe.c"
    probe.write_text(PROBE, "utf-8")
    sources = [probe, source("scn_quantization.c"), source("scn_fixedpoint.c")]
    ffi = cffi.FFI()
    ffi.cdef(DECLARED)
    return ffi, ffi.dlopen(str(toolchain.shared_library("ends_probe", sources, toolchain.engine_folders())))


def invoked(model: bytes, given: NDArray[np.generic]) -> NDArray[np.generic]:
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def one(op: str, before: tuple[str, float | None, int], after: tuple[str, float | None, int], count: int) -> Graph:
    """A network of a conversion, between it and an input or output of INT8 a QUANTIZE that keeps the scale."""
    network = GraphBuilder("one")
    given, scale, zero = before
    x = network.input((1, count), scale, zero, dtype=given)
    made, scale, zero = after
    return network.graph(network.operator(op, (x,), (1, count), scale, zero, dtype=made))


def end_of(graph: Graph) -> ends.End:
    """What converts in a graph of one conversion, be it input or output."""
    (operator,) = graph.operators
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    inwards = target.dtype == "int8" or source.dtype == "float32"
    return ends.End(source, target, operator) if inwards else ends.End(target, source, operator)


@settings(deadline=None, max_examples=60)
@given(scales, zero_points, st.integers(0, 2**32 - 1))
@example(float(np.float32(2.0**-40)), -128, 1)
@example(float(np.float32(0.1)), 127, 2)
def test_float32_becomes_int8_as_builtin_ref_has_it(
    c: tuple[cffi.FFI, Any], scale: float, zero: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    halves = (chance.integers(-300, 300, 500) + 0.5) * np.float32(scale)
    near = np.concatenate([np.nextafter(np.float32(halves), np.float32(side)) for side in (-np.inf, np.inf)])
    spread = chance.normal(0, 100, 500) * scale
    given_values = np.concatenate([halves, near, spread, [0.0, -0.0, scale * 1e6]]).astype(np.float32)[None]
    graph = one("QUANTIZE", ("float32", None, 0), ("int8", scale, zero), given_values.size)
    expected = invoked(write_model(graph), given_values)
    np.testing.assert_array_equal(end_of(graph).inwards(given_values), expected)
    ffi, library = c
    made = np.zeros(given_values.size, np.int8)
    pointers = ffi.from_buffer("float[]", given_values), ffi.from_buffer("int8_t[]", made)
    library.to_int8(pointers[0], made.size, float(np.float32(scale)), zero, pointers[1])
    np.testing.assert_array_equal(made, expected[0])


@settings(deadline=None, max_examples=30)
@given(scales, st.integers(0, 2**31))
def test_float32_becomes_int16_and_back(c: tuple[cffi.FFI, Any], scale: float, seed: int) -> None:
    chance = np.random.default_rng(seed)
    halves = (chance.integers(-33_000, 33_000, 500) + 0.5) * np.float32(scale)
    values = np.concatenate([halves, chance.normal(0, 20_000, 500) * scale, [0.0, scale * 1e6]]).astype(np.float32)
    graph = one("QUANTIZE", ("float32", None, 0), ("int16", scale, 0), values.size)
    expected = invoked(write_model(graph), values[None])[0]
    np.testing.assert_array_equal(end_of(graph).inwards(values), expected)
    ffi, library = c
    made, back = np.zeros(values.size, np.int16), np.zeros(values.size, np.float32)
    places = ffi.from_buffer("int16_t[]", made), ffi.from_buffer("float[]", back)
    library.to_int16(ffi.from_buffer("float[]", values), values.size, float(np.float32(scale)), *places)
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(
        back, end_of(one("DEQUANTIZE", ("int16", scale, 0), ("float32", None, 0), 3)).outwards(made)
    )


@settings(deadline=None, max_examples=60)
@given(scales, zero_points)
def test_int8_becomes_float32_as_builtin_ref_has_it(c: tuple[cffi.FFI, Any], scale: float, zero: int) -> None:
    graph = one("DEQUANTIZE", ("int8", scale, zero), ("float32", None, 0), 256)
    expected = invoked(write_model(graph), ALL[None])
    np.testing.assert_array_equal(end_of(graph).outwards(ALL[None]), expected)
    ffi, library = c
    made = np.zeros(256, np.float32)
    library.from_int8(ffi.from_buffer("int8_t[]", ALL), 256, scale, zero, ffi.from_buffer("float[]", made))
    np.testing.assert_array_equal(made, expected[0])


@settings(deadline=None, max_examples=60)
@given(st.floats(2.0**-6, 2.0**6), st.integers(0, 255), zero_points, st.booleans())
@example(1.0, 128, 0, True)
@example(1.0, 3, -125, False)
def test_uint8_and_int8_become_each_other_as_builtin_ref_has_it(
    c: tuple[cffi.FFI, Any], ratio: float, zero_u8: int, zero: int, inwards: bool
) -> None:
    outer, inner = ("uint8", 0.05 * ratio, zero_u8), ("int8", 0.05, zero)
    graph = one("QUANTIZE", *((outer, inner) if inwards else (inner, outer)), 256)
    values = np.arange(256).astype(np.uint8) if inwards else ALL
    expected = invoked(write_model(graph), values[None])[0]
    end = end_of(graph)
    np.testing.assert_array_equal(end.inwards(values) if inwards else end.outwards(values), expected)
    scale = dict(end.scale())
    if inwards:
        made = [c[1].scn_quantize_u8(int(value), zero_u8, scale, zero) for value in values]
    else:
        made = [c[1].scn_dequantize_u8(int(value), zero, scale, zero_u8) for value in values]
    assert made == expected.tolist()


@settings(deadline=None, max_examples=30)
@given(st.floats(2.0**-12, 4.0), zero_points, st.booleans())
@example(0.0106, -128, True)
@example(0.5, -128, False)
def test_int16_becomes_int8_and_int32_as_builtin_ref_has_it(
    c: tuple[cffi.FFI, Any], ratio: float, zero: int, inwards: bool
) -> None:
    values = np.unique(np.concatenate([np.arange(-32768, 32768, 97), [32767, -1, 0, 1]])).astype(np.int16)
    before = ("int16", 0.05 * ratio if inwards else 2.0**-16, 0 if inwards else -32768)
    after = ("int8", 0.05, zero) if inwards else ("int32", 2.0**-16 / ratio, 0)
    graph = one("QUANTIZE", before, after, values.size)
    expected = invoked(write_model(graph), values[None])[0]
    end = end_of(graph)
    made = end.inwards(values) if inwards else end.outwards(values)
    np.testing.assert_array_equal(made, expected)
    scale, convert = dict(end.scale()), c[1].scn_quantize_s16 if inwards else c[1].scn_dequantize_s32
    assert [convert(int(value), before[2], scale, after[2]) for value in values] == expected.tolist()


def test_what_is_not_a_number_is_clamped_or_the_zero_point_in_c(c: tuple[cffi.FFI, Any]) -> None:
    ffi, library = c
    given_values = np.array([np.inf, -np.inf, np.nan, 3.4e38, -3.4e38], np.float32)
    made = np.zeros(5, np.int8)
    library.to_int8(ffi.from_buffer("float[]", given_values), 5, 1e-20, 7, ffi.from_buffer("int8_t[]", made))
    assert made.tolist() == [127, -128, 7, 127, -128]


def network_of(outer: str, finished: str) -> bytes:
    network = NetworkBuilder(5, (1, 6, 4, 3), (0.05, -20), outer=outer)
    made = network.fully_connected(network.mean(network.convolution(network.start, 4, (3, 3))), 5)
    return network.model(network.softmax(made), finished)


@pytest.mark.parametrize("outer", ["int8", "uint8", "float32"])
@pytest.mark.parametrize("finished", ["int8", "uint8", "float32"])
def test_a_network_between_its_ends(outer: str, finished: str) -> None:
    model = network_of(outer, finished)
    graph = read_model(model)
    before, after = ends.inputs(graph)[0], ends.outputs(graph)[0]
    assert (before.outer.dtype, after.outer.dtype, before.inner.dtype, after.inner.dtype) == (
        outer, finished, "int8", "int8"
    )  # fmt: skip
    chance = np.random.default_rng(1)
    given_values = {
        "int8": chance.integers(-128, 128, (3, 6, 4, 3)).astype(np.int8),
        "uint8": chance.integers(0, 256, (3, 6, 4, 3)).astype(np.uint8),
        "float32": chance.normal(0, 3, (3, 6, 4, 3)).astype(np.float32),
    }[outer]
    with HostTarget(model) as host, LitertTarget(model) as reference, TflmTarget(model) as micro:
        assert host.input.dtype == host.output.dtype == "int8"
        scores = host.run(given_values)
        np.testing.assert_array_equal(scores, reference.run(given_values))
        np.testing.assert_array_equal(scores, host.run(before.inwards(given_values)))
        assert np.abs(micro.run(given_values).astype(int) - scores).max() <= 1
        assert parity.check(model, host, 6).mismatches == 0
        assert micro.arena_bytes()["total"] > 0
    for values, row in zip(given_values, scores, strict=True):
        np.testing.assert_array_equal(after.outwards(row[None]), invoked(model, values[None]))


def test_the_header_says_how_to_convert() -> None:
    text = compile_model(network_of("uint8", "float32")).files()["scn_model.h"]
    assert "#define SCN_MODEL_INPUT_SCALE 0.0500000007f\n#define SCN_MODEL_INPUT_ZERO_POINT (-20)\n" in text
    assert "#define SCN_MODEL_INPUT_RESCALE {.multiplier = 1073741824, .shift = 1}\n" in text
    assert "#define SCN_MODEL_INPUT_ZERO_POINT_U8 108\n" in text
    assert "#define SCN_MODEL_OUTPUT_SCALE 0.00390625f\n#define SCN_MODEL_OUTPUT_ZERO_POINT (-128)\n" in text
    assert "The file's own output is float32." in text
    assert "SCN_MODEL_OUTPUT_RESCALE" not in text


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("float32", np.full((1, 6, 4, 3), np.nan, np.float32), "hold NaN; give numbers"),
        ("float32", np.zeros((1, 6, 4, 3), np.float64), "are float64; give float32 or int8 values"),
        ("uint8", np.zeros((1, 6, 4, 3), np.float32), "are float32; give uint8 or int8 values"),
        ("int8", np.zeros((1, 6, 4, 3), np.float32), "are float32; give int8 values"),
    ],
)
def test_other_inputs_are_refused(kind: str, values: NDArray[np.generic], message: str) -> None:
    with LitertTarget(network_of(kind, "int8")) as target, pytest.raises(InputError, match=message):
        target.run(values)


def test_a_float32_input_that_more_than_quantize_reads_is_refused() -> None:
    network = GraphBuilder("twice")
    x = network.input((1, 8), None, 0, dtype="float32")
    one_way = network.operator("QUANTIZE", (x,), (1, 8), 0.1, 0)
    other = network.operator("QUANTIZE", (x,), (1, 8), 0.2, 0)
    y = network.operator("ADD", (one_way, other), (1, 8), 0.3, 0, fused_activation_function="NONE")
    with pytest.raises(UnsupportedError, match="input 't0' is float32"):
        compile_model(write_model(network.graph(y)))


def test_conversions_alone_are_refused() -> None:
    network = NetworkBuilder(1, (1, 8), outer="float32")
    with pytest.raises(UnsupportedError, match="input 't0' is float32"):
        compile_model(network.model(network.start, "float32"))


def test_a_network_that_computes_in_float32_is_refused(tmp_path: Path) -> None:
    network = NetworkBuilder(1, (1, 8), outer="float32")
    real = network.builder.operator("DEQUANTIZE", (network.prelu(network.start),), (1, 8), None, 0, dtype="float32")
    y = network.builder.operator("SOFTMAX", (real,), (1, 8), None, 0, dtype="float32", beta=1.0)
    path = tmp_path / "real.tflite"
    path.write_bytes(write_model(network.builder.graph(y)))
    with pytest.raises(UnsupportedError, match=r"output 't\d' is float32; convert the model to full INT8"):
        compile_model(path)
