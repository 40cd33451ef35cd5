"""The emulated Cortex-M4 has TFLite's reference bits: shipped models, and random networks of every operator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import random_network

from scenelet import parity, toolchain
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
    with QemuTarget(model) as board:
        result = parity.check(model, board, 6, 1)
        result.require(model)
        elements = [tensor.elements for tensor in board.activations()]
    assert result.values == 6 * sum(elements)


@pytest.mark.parametrize("seed", NETWORKS)
def test_a_random_network(seed: int) -> None:
    model = random_network(seed, layers_of(seed))
    with QemuTarget(model) as board:
        parity.check(model, board, 4, seed).require(f"network {seed}")


def test_the_random_networks_hold_every_operator() -> None:
    def operators() -> Iterator[str]:
        for seed in NETWORKS:
            yield from (operator.op for operator in read_model(random_network(seed, layers_of(seed))).operators)

    assert set(operators()) == set(OPERATORS)
