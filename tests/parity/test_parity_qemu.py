"""The emulated Cortex-M4 has TFLite's reference bits: shipped models, and random networks of every operator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import random_network

from scenelet import parity, toolchain
from scenelet.compiler.options import RAM_BYTES, WEIGHTS, Options
from scenelet.compiler.reader import read_model
from scenelet.compiler.support import OPERATORS
from scenelet.targets.qemu import QemuTarget

pytestmark = pytest.mark.qemu

SHIPPED = sorted(path for path in (toolchain.FIRMWARE / "models").glob("*.tflite") if not path.is_symlink())
NETWORKS = range(1000, 1040)


def layers_of(seed: int) -> int:
    return 2 + seed % 6


@pytest.mark.parametrize("model", SHIPPED, ids=lambda path: path.stem)
def test_every_tensor_of_a_shipped_model(model: Path) -> None:
    with QemuTarget(model, Options(fusion=False)) as board:
        result = parity.check(model, board, 6, 1)
        result.require(model)
        elements = [tensor.elements for tensor in board.activations()]
    assert result.values == 6 * sum(elements)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("ram_bytes", [RAM_BYTES, 100_000])
def test_a_shipped_model_fused(weights: str, ram_bytes: int) -> None:
    model = toolchain.FIRMWARE / "models" / "default.tflite"
    with QemuTarget(model, Options(weights=weights, ram_bytes=ram_bytes)) as board:
        parity.check(model, board, 5, 2).require(model)


@pytest.mark.parametrize("seed", NETWORKS)
def test_a_random_network(seed: int) -> None:
    """Every operator alone, or fused and in the smallest arena."""
    model = random_network(seed, layers_of(seed))
    with QemuTarget(model, Options(fusion=seed % 2 == 0, ram_bytes=0)) as board:
        parity.check(model, board, 4, seed).require(f"network {seed}")


def test_the_random_networks_hold_every_operator() -> None:
    def operators() -> Iterator[str]:
        for seed in NETWORKS:
            yield from (operator.op for operator in read_model(random_network(seed, layers_of(seed))).operators)

    assert set(operators()) == set(OPERATORS)
