"""The cost model's rates: fitted to measurements, complete for what ships, and near to what QEMU counts."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenelet.benchmark.explain import explain
from scenelet.benchmark.instructions import Bench
from scenelet.compiler.kernels import cost
from scenelet.compiler.kernels.cost import FLASH_LINE, Rate, Term, cost_of, rates
from scenelet.compiler.kernels.cost_model import terms_of
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.core import toolchain

MODELS = sorted((toolchain.FIRMWARE / "models").glob("esc10_*.tflite"))
NEAR = 0.08
TRUE = {"gemm/step": Rate(11.0, 16.0, 0.1), "gemm/block": Rate(70.0, 100.0, 0.5)}


@pytest.fixture(scope="module")
def tool() -> Any:
    path = toolchain.REPOSITORY / "tools" / "fit_cost_model.py"
    specification = importlib.util.spec_from_file_location("fit_cost_model", path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules["fit_cost_model"] = module  # its dataclasses look themselves up
    specification.loader.exec_module(module)
    return module


def stage(steps: float, blocks: float, lines: float, more: dict[str, float] | None = None) -> dict[str, Any]:
    """A layer of `scenelet bench --json` that takes exactly what TRUE says."""
    terms = {"gemm/step": steps, "gemm/block": blocks, FLASH_LINE: lines}
    of = {**TRUE, FLASH_LINE: Rate(0, 0, 1)}
    instructions, cycles, waits = (sum(terms[name] * of[name][n] for name in terms) for n in range(3))
    return {
        "instructions": instructions,
        "modelled_cycles": cycles + 5 * waits,
        "wait_cycles": 5 * waits,
        "terms": terms | (more or {}),
        "stages": [],
    }


def layers() -> list[dict[str, Any]]:
    """Enough different ones to tell the rates apart."""
    return [stage(1000, 10, 50), stage(100, 50, 400), stage(5000, 5, 0), stage(10, 40, 4)]


def measured(folder: Path, *some: dict[str, Any]) -> Path:
    folder.mkdir()
    content = {"model": "/somewhere/network.tflite", "options": {"wait_states": 5}, "layers": list(some)}
    (folder / "network.json").write_text(json.dumps(content))
    return folder


def test_rates_are_found_again(tool: Any, tmp_path: Path) -> None:
    found = tool.fit(tool.read([measured(tmp_path / "in", *layers())]))
    for name, rate in TRUE.items():
        assert found[name][:2] == pytest.approx(rate[:2], rel=0.05)
        # Waits are little beside cycles, so they weigh little against the rate that there was.
        assert found[name].waits == pytest.approx(rate.waits, rel=0.5)


def test_a_rate_that_nothing_determines_stays(tool: Any, tmp_path: Path) -> None:
    rows = tool.read([measured(tmp_path / "in", stage(1000, 10, 50, {"gemm/padded": 0.0}), stage(10, 40, 4))])
    before = rates()["gemm/padded"]
    assert tuple(tool.fit(rows)["gemm/padded"]) == pytest.approx(tuple(before), rel=0.01)


def test_what_is_written_is_what_the_compiler_reads(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, page = tmp_path / "rates.json", tmp_path / "page.md"
    copy.write_bytes(cost.RATES_FILE.read_bytes())
    for module in (tool, cost):
        monkeypatch.setattr(module, "RATES_FILE", copy)
    folder = measured(tmp_path / "in", *layers())
    monkeypatch.setattr(sys, "argv", ["fit", "fit", str(folder), "--write", "--page", str(page)])
    before = dict(rates())
    try:
        assert tool.main() == 0
        rates.cache_clear()
        after = rates()
        assert after["gemm/step"][:2] == pytest.approx(TRUE["gemm/step"][:2], rel=0.05)
        assert {name: rate for name, rate in after.items() if not name.startswith("gemm/")} == {
            name: rate for name, rate in before.items() if not name.startswith("gemm/")
        }
    finally:
        rates.cache_clear()
    assert "| network | 4 |" in capsys.readouterr().out
    assert "/somewhere" not in page.read_text()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "no .json in it"), ("{", "no output of"), ('{"layers": []}', "no output of"), ("[]", "no output of")],
)
def test_other_files_are_refused_in_one_line(
    tool: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    complaint: str,
) -> None:
    if content is not None:
        (tmp_path / "x.json").write_text(content)
    monkeypatch.setattr(sys, "argv", ["fit", "fit", str(tmp_path)])
    assert tool.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line


def test_a_cost_is_the_sum_of_its_terms() -> None:
    known = rates()["gemm/step"]
    total = cost_of((Term("gemm/step", 10), Term(FLASH_LINE, 3), Term("new kernel/part", 2, 100.0)))
    assert total.instructions == pytest.approx(10 * known.instructions + 200)
    assert total.at(5) - total.at(0) == pytest.approx(5 * total.waits)
    assert total.waits > 3


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_what_ships_is_made_of_measured_terms(model: Path) -> None:
    steps = compile_model(model).program.steps
    assert {term.name for step in steps for term in terms_of(step)} <= set(rates())


@pytest.mark.qemu
@pytest.mark.parametrize("options", [Options(), Options(ram_bytes=16_384)], ids=str)
def test_predictions_are_near_to_what_runs(sm1: Path, benched: Callable[..., Bench], options: Options) -> None:
    counted, told = benched(sm1, options), explain(sm1, options)
    assert told.predicted_instructions == pytest.approx(counted.instructions, rel=NEAR)
    assert told.predicted_cycles == pytest.approx(counted.modelled_cycles, rel=NEAR)


def test_wait_states_decide_on_the_form_of_weights(sm1: Path) -> None:
    fast, slow = (explain(sm1, Options(weights="expanded", ram_bytes=16_384, wait_states=waits)) for waits in (0, 15))
    assert fast.constant_bytes > slow.constant_bytes
    assert fast.predicted_instructions < slow.predicted_instructions
