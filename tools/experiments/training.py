"""Run the cross-validations of docs/results/esc10.md, and write its tables from the finished ones.

Each row is one `scenelet crossval` command, which the page lists. RUNS holds one folder per row; interrupted ones
resume.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # the same bits, whatever --jobs says

from scenelet.benchmark.budget import budget_of
from scenelet.benchmark.instructions import bench
from scenelet.config import recipe as recipes
from scenelet.core.files import write_text
from scenelet.core.markdown_tables import between, fill, rows_of
from scenelet.data.datasets.registry import Dataset, open_dataset
from scenelet.evaluation.cross_validation import cross_validate
from scenelet.evaluation.crossval_results import RESULT, read_result
from scenelet.evaluation.intervals import shown
from scenelet.training.distillation.methods import with_method

PAGE = Path(__file__).resolve().parents[2] / "docs" / "results" / "esc10.md"
COSTS = "cost.json"
PRUNED = (20, 22, 22, 24, 24, 16)


@dataclass(frozen=True)
class Row:
    """One row of a table: a recipe, its distillation and pruning, and the folds that it is tested on."""

    folder: str
    title: str
    recipe: str
    method: str | None = None
    teacher: str = "teacher"
    filters: tuple[int, ...] | None = None
    folds: tuple[int, ...] = ()
    seeds: int = 1
    leak: bool = False

    @property
    def command(self) -> str:
        """The command of the row."""
        parts = ["scenelet crossval", self.recipe, "--data ESC10", f"--out RUNS/{self.folder}"]
        if self.method:
            parts += [f"--teacher RUNS/{self.teacher}", f"--method {self.method}"]
        if self.filters:
            parts.append(f"--filters {','.join(map(str, self.filters))}")
        if self.folds:
            parts.append(f"--folds {','.join(map(str, self.folds))}")
        if self.seeds > 1:
            parts.append(f"--seeds {self.seeds}")
        if self.leak:
            parts.append("--leaky-random-split")
        return " ".join(parts)


def fold4(folder: str, title: str, recipe: str, method: str | None = None, **more: Any) -> Row:
    """A row of the held-out fold 4, with three seeds."""
    return Row(f"fold4_{folder}", title, recipe, method, folds=(4,), seeds=3, **more)


def variant(name: str, title: str) -> Row:
    """A row of a recipe that is no product: a shipped one with another augmentation."""
    return Row(name, title, f"tools/experiments/recipes/{name}.toml")


CROSS = (
    Row("teacher", "teacher: ten SM1, one against all", "teacher"),
    Row("sm1", "SM1, plain", "sm1", seeds=3),
    Row("sm1_rrs", "SM1, RRS", "sm1", "rrs", seeds=3),
    Row("cnn32k", "cnn32k, augmented", "cnn32k"),
    variant("cnn32k_silence", "cnn32k, augmented, silence left out"),
    variant("cnn32k_mixed", "cnn32k, silence left out, mixed as powers"),
    variant("cnn32k_gain", "cnn32k, silence left out, mixed as powers, gain"),
    variant("cnn32k_features", "cnn32k, silence left out, all augmentation on features"),
    Row("cnn32k_large", "cnn32k_large, augmented", "cnn32k_large"),
    variant("cnn32k_large_features", "cnn32k_large, silence left out, all augmentation on features"),
)
HELD = (
    fold4("baseline", "DCASE baseline, plain", "baseline"),
    fold4("baseline_augmented", "DCASE baseline, augmented", "baseline_augmented"),
    fold4("sm1", "SM1, plain", "sm1"),
    fold4("sm1_response", "SM1, response", "sm1", "response"),
    fold4("sm1_relational", "SM1, relational", "sm1", "relational"),
    fold4("sm1_hint", "SM1, hint and response", "sm1", "hint"),
    fold4("sm1_rrs", "SM1, RRS", "sm1", "rrs"),
    fold4("sm1_augmented", "SM1, augmented", "sm1_augmented"),
    fold4("sm1_augmented_rrs", "SM1, augmented, RRS", "sm1_augmented", "rrs"),
    fold4("sm2_rrs", "SM2, RRS", "sm2", "rrs"),
    fold4("sm3_pruned_rrs", "SM3, RRS, pruned", "sm3", "rrs", filters=PRUNED),
    fold4("cp_mobile_rrs", "cp_mobile, RRS", "cp_mobile", "rrs"),
)
LEAK = Row("leak", "SM1, plain, leaking", "sm1", folds=(4,), leak=True)
ROWS = (*CROSS, LEAK, *HELD)


def cross_validate_row(row: Row, dataset: Dataset, runs: Path, jobs: int) -> None:
    """Train and score the networks that a row still lacks."""
    described = recipes.load(row.recipe)
    if row.method:
        described = with_method(described, row.method)
    cross_validate(
        described,
        dataset,
        runs / row.folder,
        teacher=runs / row.teacher if row.method else None,
        filters=row.filters,
        folds=row.folds or None,
        seeds=row.seeds,
        leak=row.leak,
        jobs=jobs,
    )


def cost_of(row: Row, runs: Path) -> dict[str, Any]:
    """Parameters, MACs, peak activations and instructions of a row's network, counted once on its first model."""
    path = runs / row.folder / COSTS
    if not path.is_file():
        models = sorted((runs / row.folder).glob("fold*-seed?/model.tflite"))
        cost = budget_of(str(models[0]) if models else row.recipe).cost
        instructions = bench(models[0]).instructions if models else None
        counted = {
            "bytes": cost.params_bytes,
            "macs": cost.macs,
            "peak": cost.peak_activation_bytes,
            "instructions": instructions,
        }
        write_text(path, json.dumps(counted) + "\n")
    costs: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return costs


def _cell(outcomes: Sequence[dict[str, Any]], kind: str, measure: str) -> str:
    values = [outcome[kind][measure] for outcome in outcomes if outcome[kind]]
    if not values:
        return "–"
    spread = [statistics.fmean(values), *([statistics.stdev(values)] if len(values) > 1 else [])]
    if measure == "log_loss":
        return " ± ".join(f"{value:.3f}" for value in spread)
    return " ± ".join(f"{100 * value:.1f}" for value in spread) + " %"


MEASURES = (
    ("float", "accuracy"), ("float", "clip_accuracy"), ("int8", "accuracy"), ("int8", "clip_accuracy"),
    ("int8", "log_loss"),
)  # fmt: skip
COLUMNS = (
    "network", "windows, float", "clips, float", "windows, INT8", "clips, INT8", "95 % interval", "log loss, INT8",
    "parameters, B", "MACs", "peak activations, B", "instructions", "CPU, min",
)  # fmt: skip
HEAD = f"| {' | '.join(COLUMNS)} |\n|" + "---|" * len(COLUMNS)


def _line(title: str, outcomes: Sequence[dict[str, Any]], cost: dict[str, Any], interval: str = "–") -> str:
    scores = [_cell(outcomes, kind, measure) for kind, measure in MEASURES]
    scores.insert(COLUMNS.index("95 % interval") - 1, interval)
    costs = [f"{cost[name]:,}" if cost[name] else "–" for name in ("bytes", "macs", "peak", "instructions")]
    minutes = f"{sum(outcome['cpu_seconds'] for outcome in outcomes) / 60:.1f}"
    return f"| {' | '.join([title, *scores, *costs, minutes])} |"


def _whole(row: Row, runs: Path) -> list[dict[str, Any]]:
    """Scores of the networks before pruning."""
    folders = sorted((runs / row.folder).glob("*-whole/metrics.json"))
    return [
        {"float": json.loads(path.read_text("utf-8"))["test"], "int8": None, "cpu_seconds": 0.0} for path in folders
    ]


def _before(row: Row) -> str:
    """Title of the line of a row's networks before pruning; empty where it is not pruned."""
    return row.title.replace(", pruned", ", not pruned (time: below)") if row.filters else ""


def lines(name: str, rows: Sequence[Row], runs: Path) -> Iterator[str]:
    """Lines of a table: of the rows that are done, and, of rows without runs here, those that the page has."""
    yield HEAD
    known = rows_of(between(PAGE, name), COLUMNS)
    for row in rows:
        path = runs / row.folder / RESULT
        if not path.is_file():
            yield from (known[title] for title in (_before(row), row.title) if title in known)
            continue
        result = json.loads(path.read_text("utf-8"))
        if row.filters:
            cost = budget_of(row.recipe).cost
            whole = {
                "bytes": cost.params_bytes,
                "macs": cost.macs,
                "peak": cost.peak_activation_bytes,
                "instructions": None,
            }
            yield _line(_before(row), _whole(row, runs), whole)
        interval = read_result(runs / row.folder).clip_interval
        yield _line(row.title, result["outcomes"], cost_of(row, runs), shown(interval) if interval else "–")


def leak(runs: Path) -> Iterator[str]:
    """Lines of the table that compares the leaking split with the clean one."""
    path = runs / LEAK.folder / RESULT
    if not path.is_file():
        yield from between(PAGE, "leak")
    else:
        result = json.loads(path.read_text("utf-8"))
        yield "| split | float | INT8 |\n|---|---|---|"  # a mark inside a table would end it
        for name, outcomes in (
            ("fold 4, clean", result["outcomes"]),
            ("70/30 over windows", result["leak"]["outcomes"]),
        ):
            yield f"| {name} | {_cell(outcomes, 'float', 'accuracy')} | {_cell(outcomes, 'int8', 'accuracy')} |"


def tables(runs: Path) -> dict[str, Iterator[str]]:
    """Lines of every table of the page."""
    return {
        "cross": lines("cross", CROSS, runs),
        "held": lines("held", HELD, runs),
        "leak": leak(runs),
        "commands": commands(runs),
    }


def commands(runs: Path) -> Iterator[str]:
    """Lines with the commands of the rows that are done, here or where the page was written before."""
    before = between(PAGE, "commands")
    yield "```"
    yield from (row.command for row in ROWS if (runs / row.folder / RESULT).is_file() or row.command in before)
    yield "```"


def main() -> None:
    """Run the rows and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--runs", required=True, type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all; 'none' only writes the page")
    given = parser.parse_args()
    dataset = open_dataset(given.data)
    for row in ROWS:
        if not given.rows or row.folder in given.rows:
            cross_validate_row(row, dataset, given.runs, given.jobs)
            print(row.command, flush=True)
    fill(PAGE, tables(given.runs))


if __name__ == "__main__":
    main()
