"""No figure of docs/bench may grow unnoticed: instructions, memory and flash are counted, so they repeat."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scenelet.benchmark.instructions import Bench, regressions
from scenelet.compiler.options import Options
from scenelet.core import toolchain

HISTORY = sorted((toolchain.REPOSITORY / "docs" / "bench").glob("*.json"))


@pytest.fixture(scope="module")
def measured(sm1: Path, benched: Callable[..., Bench]) -> Bench:
    return benched(sm1, Options(weights="packed", ram_bytes=16_384))


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of recipes with random weights, as tools/models/recipe_models.py makes them: one start of TensorFlow."""
    folder: Path = tmp_path_factory.mktemp("recipes")
    models = [Path(json.loads(path.read_text())["model"]) for path in HISTORY]
    names = sorted({model.stem for model in models if "recipes" in model.parts})
    tool = toolchain.REPOSITORY / "tools" / "models" / "recipe_models.py"
    toolchain.run([sys.executable, tool, *names, "--out", folder])
    return folder


def test_there_is_a_history() -> None:
    sm1 = {"sm1_auto", "sm1_expanded_fast", "sm1_packed", "sm1_packed_fast", "sm1_smallest"}
    assert {path.stem for path in HISTORY} == sm1 | {"sm2_packed", "sm3_pruned_packed"}


@pytest.mark.qemu
@pytest.mark.parametrize("path", HISTORY, ids=lambda path: path.stem)
def test_nothing_grew_by_more_than_two_percent(path: Path, recipes: Path, benched: Callable[..., Bench]) -> None:
    before = json.loads(path.read_text())
    model = toolchain.REPOSITORY / before["model"]
    if "recipes" in model.parts:
        model = recipes / model.name
    assert regressions(before, benched(model, Options(**before["options"]))) == []


@pytest.mark.qemu
def test_growth_is_found_and_named(measured: Bench) -> None:
    before = measured.to_json()
    assert regressions(before, measured) == []
    layer = measured.layers[0]
    slower = replace(layer, instructions=int(layer.instructions * 1.03))
    told = regressions(before, replace(measured, layers=(slower, *measured.layers[1:])))
    assert len(told) == 1
    assert told[0].startswith("instructions: ")
    barely = replace(layer, instructions=int(layer.instructions * 1.01))
    assert regressions(before, replace(measured, layers=(barely, *measured.layers[1:]))) == []


@pytest.mark.qemu
@pytest.mark.parametrize("figure", ["arena_bytes", "weights", "ram_bytes"])
def test_memory_and_flash_count_too(measured: Bench, figure: str) -> None:
    before = copy.deepcopy(measured.to_json())
    place = next(d for d in (before, before["flash"], before["frontend"]) if figure in d)
    place[figure] = int(place[figure] * 0.9)
    assert regressions(before, measured)
