"""The comparison itself: it finds one wrong value, and says where."""

from __future__ import annotations

import numpy as np
import pytest
from networks import NetworkBuilder, random_network
from numpy.typing import NDArray

from scenelet.errors import ParityError
from scenelet.evaluation import parity
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget


class Wrong(LitertTarget):
    """Off by one in one value of one tensor, in one case."""

    name = "wrong"

    def __init__(self, model: bytes, tensor: int, case: int) -> None:
        super().__init__(model)
        self.tensor, self.case, self.calls = tensor, case, 0

    def tensors(self, one: NDArray[np.int8]) -> dict[int, NDArray[np.int8]]:
        shown = super().tensors(one)
        if self.calls == self.case:
            shown[self.tensor] = shown[self.tensor].copy()
            shown[self.tensor].flat[-1] ^= 1
        self.calls += 1
        return shown


def chain() -> tuple[bytes, int]:
    network = NetworkBuilder(4, (1, 5, 4, 2))
    middle = network.convolution(network.start, 3, (3, 3))
    return network.model(network.quantize(middle)), middle


def test_one_wrong_value_is_found_and_named() -> None:
    model, middle = chain()
    result = parity.check(model, Wrong(model, middle, 2), 5)
    assert result.mismatches == 1
    assert result.first_mismatch is not None
    assert result.first_mismatch.position == (0, 4, 3, 2)
    assert (result.first_mismatch.case, result.first_mismatch.tensor) == (2, middle)
    assert abs(result.first_mismatch.got - result.first_mismatch.expected) == 1
    with pytest.raises(ParityError, match=rf"1 of .* values differ, first tensor {middle} of 0:t{middle}"):
        result.require("model")


def test_everything_is_counted() -> None:
    model, _ = chain()
    with LitertTarget(model) as target:
        result = parity.check(model, target, 7)
    # Input, convolution and quantize.
    assert result == parity.ParityResult("litert", 7, 7 * (5 * 4 * 2 + 2 * 5 * 4 * 3), 0, None)
    result.require("model")
    assert result.to_json()["first_mismatch"] is None


def test_inputs_are_reproducible_and_reach_the_extremes() -> None:
    model, _ = chain()
    with LitertTarget(model) as target:
        one, other = list(parity.inputs(target, 9, 5)), list(parity.inputs(target, 9, 5))
        different = list(parity.inputs(target, 9, 6))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one[parity.EXTREMES :], different[parity.EXTREMES :])
    assert {int(values.min()) for (values,) in one[:4]} >= {-128, 127}


def test_tflm_differs_at_most_in_its_doubly_rounded_fully_connected() -> None:
    """TFLM rounds twice where TFLite's reference rounds once; every other operator agrees."""
    for seed in range(40):
        model = random_network(seed, 1 + seed % 7)
        with TflmTarget(model) as target, LitertTarget(model) as reference:
            softer = {
                index
                for operator in reference.graph.operators
                if operator.op in ("FULLY_CONNECTED", "SOFTMAX")
                for index in operator.outputs
            }
            for one in parity.inputs(reference, 5, seed):
                expected, got = reference.tensors(one), target.tensors(one)
                for index, values in expected.items():
                    gap = int(np.abs(got[index].astype(int) - values).max())
                    assert gap <= (1 if index in softer else 0), f"network {seed}, tensor {index}"
