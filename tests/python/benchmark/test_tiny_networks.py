"""Networks of MLPerf Tiny's shapes: bits of the reference in the emulator, and no figure of docs/bench/tiny grows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scenelet.benchmark.instructions import bench, regressions
from scenelet.compiler.options import Options
from scenelet.core import toolchain
from scenelet.evaluation.parity import check
from scenelet.targets.qemu import QemuTarget

HISTORY = sorted((toolchain.REPOSITORY / "docs" / "bench" / "tiny").glob("*.json"))
# TFLite Micro with CMSIS-NN: instructions and arena bytes, measured outside this repository.
PEERS = {"resnet8": (29_864_640, 55_092), "ds_cnn": (7_701_040, 22_916), "autoencoder": (583_000, 2_676)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny")
    tool = toolchain.REPOSITORY / "tools" / "models" / "mlperf_tiny.py"
    subprocess.run([sys.executable, str(tool), "--out", str(made)], check=True, capture_output=True)
    return made


def read(path: Path) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = json.loads(path.read_text())
    return figures


def test_there_is_a_history_of_every_network() -> None:
    names = {Path(read(path)["model"]).stem for path in HISTORY}
    assert names == {"resnet8", "ds_cnn", "autoencoder", "wake_word", "mobilenet"}


@pytest.mark.parametrize("path", HISTORY, ids=lambda path: path.stem)
def test_figures_are_half_of_the_peer_s_in_less_memory(path: Path) -> None:
    figures = read(path)
    name = Path(figures["model"]).stem
    instructions, arena = PEERS.get(name, (2 * figures["instructions"], figures["arena_bytes"] + 1))
    assert figures["instructions"] <= instructions / 2
    assert figures["arena_bytes"] < arena


@pytest.mark.qemu
@pytest.mark.parametrize("path", HISTORY, ids=lambda path: path.stem)
def test_nothing_grew_by_more_than_two_percent(path: Path, folder: Path) -> None:
    before = read(path)
    model = folder / Path(before["model"]).name
    assert regressions(before, bench(model, Options(**before["options"]))) == []


@pytest.mark.qemu
@pytest.mark.parametrize("path", HISTORY, ids=lambda path: path.stem)
def test_the_emulator_computes_the_reference_s_bits(path: Path, folder: Path) -> None:
    before = read(path)
    model = folder / Path(before["model"]).name
    with QemuTarget(model, Options(**before["options"])) as target:
        result = check(model, target, 3)
    assert result.mismatches == 0, result.first_mismatch
    assert result.values > 0
