"""The clip head's integers: against real arithmetic, against the firmware's C, and what is refused of them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from cffi import FFI
from pydantic import ValidationError

from scenelet.config.recipe import RecipeError, parse
from scenelet.core import toolchain
from scenelet.models.architecture import cost_of_recipe
from scenelet.tflite.clip_head import ClipHead, ClipMemory, clip_scores, make_clip_head, scores

ALL = ("mean", "max", "deviation")
SANITIZED = ("-fsanitize=undefined", "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Wconversion", "-Werror")
DECLARATIONS = """
typedef struct {
    const int8_t *weights; const int32_t *bias; int32_t multiplier; uint8_t shift; uint8_t statistics; uint8_t windows;
    uint16_t width; uint16_t classes; uint16_t step; uint32_t offset;
} scn_clip_head_t;
typedef struct {
    int8_t *embeddings; uint16_t *statistics; int32_t *logits; uint8_t filled; uint8_t next;
} scn_clip_memory_t;
void scn_clip_head_reset(scn_clip_memory_t *);
void scn_clip_head_push(const scn_clip_head_t *, scn_clip_memory_t *, const int8_t *, int8_t *);
"""


@pytest.fixture(scope="module")
def engine() -> tuple[FFI, Any]:
    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    source = next(path for path in toolchain.engine_sources() if path.name == "scn_clip_head.c")
    return ffi, ffi.dlopen(str(toolchain.shared_library("clip_head", [source], toolchain.engine_folders(), SANITIZED)))


def in_c(engine: tuple[FFI, Any], head: ClipHead, embeddings: np.ndarray) -> np.ndarray:
    ffi, library = engine
    weights, bias = ffi.from_buffer("int8_t[]", head.matrix.tobytes()), ffi.new("int32_t[]", head.bias)
    kinds = sum(1 << ALL.index(name) for name in head.statistics)
    constants = (weights, bias, head.multiplier, head.shift, kinds, head.windows, head.width, len(head.bias), 0, 0)
    made = ffi.new("scn_clip_head_t *", constants)
    kept = (("int8_t", head.windows * head.width), ("uint16_t", head.inputs), ("int32_t", len(head.bias)))
    owned = [ffi.new(f"{kind}[]", size) for kind, size in kept]
    memory = ffi.new("scn_clip_memory_t *", owned)
    library.scn_clip_head_reset(memory)
    found = np.empty((len(embeddings), len(head.bias)), np.int8)
    for one, said in zip(np.ascontiguousarray(embeddings), found, strict=True):
        library.scn_clip_head_push(made, memory, ffi.from_buffer("int8_t[]", one), ffi.from_buffer("int8_t[]", said))
    return found


def extreme(statistics: tuple[str, ...], windows: int, weight: int, bias: int, multiplier: int, shift: int) -> ClipHead:
    """A head of 1,024 values whose first class has the given weight and bias, the second one the opposite."""
    matrix = np.full((3, len(statistics) * 1024), weight, np.int8)
    matrix[1], matrix[2] = -weight, 0
    return ClipHead(
        width=1024, windows=windows, statistics=statistics, weights=base64.b64encode(matrix.tobytes()).decode(),
        bias=(bias, -bias, 0), multiplier=multiplier, shift=shift,
    )  # fmt: skip


@pytest.mark.parametrize("windows", [1, 2, 5, 31, 32])
@pytest.mark.parametrize("statistics", [ALL, ("mean",), ("max",), ("deviation",), ("mean", "deviation")])
def test_c_gives_the_same_bits(engine: tuple[FFI, Any], statistics: Any, windows: int) -> None:
    chance = np.random.default_rng(windows)
    for width, classes in ((1, 1), (7, 4), (96, 10)):
        weights = chance.normal(size=(width * len(statistics), classes)) * 2.0 ** chance.uniform(-6, 3)
        scale = float(2.0 ** chance.uniform(-9, -3))
        zero_point = int(chance.integers(-128, 128))
        head = make_clip_head(weights, chance.normal(size=classes), statistics, windows, scale, zero_point)
        values = chance.integers(-128, 128, (windows + 3, width)).astype(np.int8)
        values[0], values[1, ::2] = 127, -128
        memory = ClipMemory(head)
        assert np.array_equal(in_c(engine, head, values), [memory.push(one) for one in values])


@pytest.mark.parametrize("shift", [1, 31, 62])
@pytest.mark.parametrize("multiplier", [1, (1 << 31) - 1])
@pytest.mark.parametrize("bias", [-(1 << 28), 1 << 28])
def test_c_gives_the_same_bits_at_the_ends_of_all_ranges(
    engine: tuple[FFI, Any], bias: int, multiplier: int, shift: int
) -> None:
    """Half of the windows at each end have the largest deviation that there is."""
    head = extreme(ALL, 32, 127, bias, multiplier, shift)
    values = np.where(np.arange(34)[:, None] % 2, 127, -128).repeat(1024, axis=1).astype(np.int8)
    memory = ClipMemory(head)
    assert np.array_equal(in_c(engine, head, values), [memory.push(one) for one in values])


def real_scores(weights: np.ndarray, bias: np.ndarray, recent: np.ndarray) -> np.ndarray:
    rows = np.concatenate([recent.mean(axis=0), recent.max(axis=0), recent.std(axis=0)])
    powers = np.exp(rows @ weights + bias)
    return np.asarray(powers / powers.sum())


def test_it_is_the_softmax_of_statistics_of_real_embeddings() -> None:
    chance, scale, zero_point = np.random.default_rng(1), 0.02, -101
    weights, bias = chance.normal(size=(3 * 40, 6)) / 8, chance.normal(size=6)
    memory = ClipMemory(make_clip_head(weights, bias, ALL, 4, scale, zero_point))
    values = chance.integers(-128, 128, (9, 40)).astype(np.int8)
    for number, one in enumerate(values, 1):
        recent = scale * (values[max(0, number - 4) : number].astype(float) - zero_point)
        found = (memory.push(one).astype(float) + 128) / 256
        assert np.abs(found - real_scores(weights, bias, recent)).max() < 0.05, "a logit is in sixteenths"
    memory.reset()
    assert np.array_equal(memory.push(values[0]), ClipMemory(memory._head).push(values[0]))


def test_scores_are_those_of_a_softmax() -> None:
    for logits in ([0], [0, 0], [160, 0, -5], [3, 9, 27, 81, 0, -300], list(range(-20, 21))):
        powers = np.exp((np.array(logits) - max(logits)) / 16)
        wanted = np.minimum(np.rint(256 * powers / powers.sum()) - 128, 127)
        assert np.abs(scores(logits) - wanted).max() <= 1
    assert scores([1 << 31, -(1 << 31)]).tolist() == [127, -128]


def test_silent_windows_have_no_part_and_repeat_what_was_said() -> None:
    head = make_clip_head(np.random.default_rng(2).normal(size=(8, 3)), np.zeros(3), ("mean",), 3, 0.05, -128)
    values = np.random.default_rng(3).integers(-128, 128, (5, 8)).astype(np.int8)
    found = clip_scores(head, values, np.array([True, False, True, False, False]))
    assert found is not None
    memory = ClipMemory(head)
    said = [memory.push(values[number]) for number in (1, 3, 4)]
    assert np.array_equal(found, [np.full(3, -128), said[0], said[0], said[1], said[2]])
    assert clip_scores(None, values, np.zeros(5, bool)) is None


def test_constants_that_do_not_belong_together_are_refused() -> None:
    head = make_clip_head(np.ones((8, 3)), np.zeros(3), ("mean", "max"), 3, 0.05, -128)
    assert ClipHead.model_validate(head.model_dump()) == head
    for wrong in ({"width": 5}, {"windows": 33}, {"shift": 0}, {"multiplier": 0}, {"bias": (0, 1)}, {"weights": "?"}):
        with pytest.raises(ValidationError):
            ClipHead.model_validate(head.model_dump() | wrong)


def section(tiny_recipe: Any, **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = tiny_recipe().model_dump(mode="json", exclude_none=True)
    return found | {"clip_head": values}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"windows": 0}, "clip_head.windows': must be 1 or more"),
        ({"windows": 33}, "clip_head.windows': must be 32 or less"),
        ({"statistics": []}, "clip_head.statistics': must have 1 or more"),
        ({"statistics": ["median"]}, "clip_head.statistics.0': must be one of"),
        ({"statistics": ["max", "mean"]}, "not in the order mean, max, deviation"),
        ({"statistics": ["mean", "mean"]}, "each once"),
        ({"l2": 0}, "clip_head.l2': must be more than 0"),
        ({"window": 4}, "unknown key 'clip_head.window'"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(tiny_recipe: Any, values: Any, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        parse(section(tiny_recipe, **values), "r")


def test_it_counts_in_the_cost_of_a_recipe(tiny_recipe: Any) -> None:
    plain = tiny_recipe()
    headed = parse(section(tiny_recipe, windows=3, statistics=["mean", "max"]), "r")
    assert "clip_head" not in plain.model_dump()
    assert headed.sha256 != plain.sha256
    units, classes = plain.model.head.units, plain.model.classes
    before, after = cost_of_recipe(plain), cost_of_recipe(headed)
    assert after.params_bytes - before.params_bytes == classes * (2 * units + 4)
    assert after.macs - before.macs == (classes + 3) * 2 * units
    ram = 4 * units + 2 * 2 * units + 5 * classes
    assert after.peak_activation_bytes - before.peak_activation_bytes == ram == after.layers[-1].live_bytes
