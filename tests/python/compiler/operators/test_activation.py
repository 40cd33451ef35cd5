"""LOGISTIC: every value of many quantizations against TFLite's reference interpreter, alone and fused."""

from __future__ import annotations

import numpy as np
import pytest
from networks import NetworkBuilder

from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget

VALUES = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
CHANCE = np.random.default_rng(11)
QUANTIZATIONS = [(float(2.0 ** CHANCE.uniform(-12, 4)), int(CHANCE.integers(-128, 128))) for _ in range(12)]


def alone(scale: float, zero_point: int, output_zero_point: int = -128) -> bytes:
    network = NetworkBuilder(1, (1, 256), (scale, zero_point))
    return network.model(network.logistic(network.start, output_zero_point))


@pytest.mark.parametrize("quantization", [*QUANTIZATIONS, (1.0, -128), (2.0**-20, 0), (300.0, 127)], ids=str)
@pytest.mark.parametrize("output_zero_point", [-128, 0, 127])
def test_every_value_is_the_references(quantization: tuple[float, int], output_zero_point: int) -> None:
    model = alone(*quantization, output_zero_point)
    with LitertTarget(model) as reference, HostTarget(model, options=Options(fusion=False)) as target:
        np.testing.assert_array_equal(target.invoke(VALUES), reference.invoke(VALUES))


def test_the_values_spread() -> None:
    with LitertTarget(alone(0.05, 3)) as reference:
        assert len(np.unique(reference.invoke(VALUES))) > 100


@pytest.mark.parametrize("ram_bytes", [0, 100_000])
def test_a_convolution_stores_through_the_table(ram_bytes: int) -> None:
    network = NetworkBuilder(5, (1, 12, 9, 8))
    made = network.convolution(network.start, 8, (3, 3))
    gate = network.logistic(made)
    made = network.convolution(network.multiply(made, gate), 6, (1, 1))
    model = network.model(network.mean(network.logistic(made)))
    options = Options(ram_bytes=ram_bytes)
    chance = np.random.default_rng(0)
    with LitertTarget(model) as reference, HostTarget(model, options=options) as target:
        for _ in range(5):
            one = chance.integers(-128, 128, (1, 12, 9, 8)).astype(np.int8)
            np.testing.assert_array_equal(target.invoke(one), reference.invoke(one))


def test_it_joins_a_chain_of_maps() -> None:
    network = NetworkBuilder(7, (1, 6, 5, 4))
    scaled = network.multiply(network.start, network.constant_like(network.start, (4,), 1 / 64))
    model = network.model(network.quantize(network.logistic(scaled)))
    (step,) = compile_model(model).program.steps
    assert (step.kernel, step.op) == ("scn_lut_s8", "MUL+LOGISTIC+QUANTIZE")
    one = np.random.default_rng(3).integers(-128, 128, (1, 6, 5, 4)).astype(np.int8)
    with LitertTarget(model) as reference, HostTarget(model) as target:
        np.testing.assert_array_equal(target.invoke(one), reference.invoke(one))


def test_another_output_scale_is_refused() -> None:
    network = NetworkBuilder(1, (1, 8))
    made = network.builder.operator("LOGISTIC", (network.start,), (1, 8), 1 / 128, 0)
    with pytest.raises(UnsupportedError, match=r"LOGISTIC 0:t1: output has scale 0\.0078125, not 1/256"):
        compile_model(network.model(made))


def test_tflite_micro_runs_it() -> None:
    with TflmTarget(alone(0.05, 3)) as target, LitertTarget(alone(0.05, 3)) as reference:
        difference = target.invoke(VALUES).astype(int).ravel() - reference.invoke(VALUES).astype(int).ravel()
    assert np.abs(difference).max() <= 1, "its fixed-point LOGISTIC rounds by itself"
