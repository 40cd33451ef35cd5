"""The emulated Cortex-M4 has TFLite's reference bits: shipped models. Generated ones are in test_generated."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenelet.compiler.options import RAM_BYTES, WEIGHTS, Options
from scenelet.core import toolchain
from scenelet.evaluation import parity
from scenelet.targets.qemu import QemuTarget

pytestmark = pytest.mark.qemu

SHIPPED = sorted(path for path in (toolchain.FIRMWARE / "models").glob("*.tflite") if not path.is_symlink())


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
