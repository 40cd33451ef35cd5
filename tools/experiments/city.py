"""Train SM1 on a synthetic city, with and without teacher and simulated microphones; write the table of its page.

The city replaces TAU: its test has new places, and microphones (s4 to s6) that recorded no training clip. RUNS holds
the city and one run folder per network; interrupted ones resume.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # the same bits, whatever --jobs says

from scenelet.config import recipe as recipes
from scenelet.config.recipe import AugmentationConfig, Recipe
from scenelet.core import parallel
from scenelet.core.files import write_text
from scenelet.core.markdown_tables import fill
from scenelet.data.datasets.registry import Dataset, open_dataset
from scenelet.data.synthetic.city import write_city
from scenelet.evaluation.evaluate import evaluate, model_info
from scenelet.quantization.convert import quantize_run
from scenelet.targets import open_target
from scenelet.tflite.metadata import read
from scenelet.training.distillation.distill import distill
from scenelet.training.run_folder import METRICS
from scenelet.training.train import train

PAGE = Path(__file__).resolve().parents[2] / "docs" / "results" / "city.md"
SCORES = "devices.json"
TEST_LOCATIONS = 8  # per scene: 80 test clips per device

# Every training clip gets another copy with another microphone's response; clips of rarer devices get more.
DEVICES = AugmentationConfig(copies=1, balance=("device",), most_copies=4, impulse_response=1.0)
GROUPS = {"a": ("a",), "b, c": ("b", "c"), "s1 to s3": ("s1", "s2", "s3"), "s4 to s6, unseen": ("s4", "s5", "s6")}


@dataclass(frozen=True)
class Row:
    """A row of the table: ``distilled`` from a teacher or not, with simulated microphones (``devices``) or not."""

    folder: str
    title: str
    distilled: bool
    devices: bool


ROWS = (
    Row("plain", "SM1, plain", distilled=False, devices=False),
    Row("rrs", "SM1, RRS", distilled=True, devices=False),
    Row("devices", "SM1, other microphones", distilled=False, devices=True),
    Row("devices_rrs", "SM1, other microphones, RRS", distilled=True, devices=True),
)


def _recipe(name: str, devices: bool, seed: int = 0) -> Recipe:
    """A shipped recipe with another seed, on the same validation split, and with augmented copies if wanted."""
    base = recipes.load(name)
    training = base.training.model_copy(update={"seed": seed, "split_seed": 0} if seed else {})
    return base.model_copy(update={"training": training, **({"augmentation": DEVICES} if devices else {})})


def _teacher(devices: bool, dataset: Dataset, runs: Path, jobs: int) -> None:
    train(_recipe("teacher", devices), dataset, runs / ("devices_teacher" if devices else "teacher"), jobs=jobs)


def network(row: Row, seed: int, dataset: Dataset, runs: Path) -> Path:
    """Train, convert and score one network; finished parts are kept."""
    out = runs / f"{row.folder}-seed{seed}"
    recipe = _recipe("sm1", row.devices, seed)
    if row.distilled:
        distill(recipe, dataset, runs / ("devices_teacher" if row.devices else "teacher"), out)
    else:
        train(recipe, dataset, out)
    if not (out / SCORES).is_file():
        model = quantize_run(out)
        with open_target("litert", model) as target:
            scored = evaluate(model, model_info(read(model.read_bytes(), model), model), dataset, "test", target)
        devices = {name: asdict(value) for name, value in scored.by_device.items()}
        scores = {"accuracy": scored.accuracy, "log_loss": scored.log_loss, "by_device": devices}
        write_text(out / SCORES, json.dumps(scores, indent=2) + "\n")
    return out


def _percent(values: Sequence[float]) -> str:
    spread = [statistics.fmean(values), *([statistics.stdev(values)] if len(values) > 1 else [])]
    return " ± ".join(f"{100 * value:.1f}" for value in spread) + " %"


def lines(runs: Path) -> Iterator[str]:
    """Lines of the table, for the rows that are done."""
    yield f"| network | {' | '.join(GROUPS)} | all, INT8 | all, float | log loss, INT8 |\n|" + "---|" * (
        len(GROUPS) + 4
    )
    for row in ROWS:
        done = sorted(runs.glob(f"{row.folder}-seed*/{SCORES}"))
        if not done:
            continue
        scores = [json.loads(path.read_text("utf-8")) for path in done]
        floats = [json.loads((path.parent / METRICS).read_text("utf-8"))["test"]["accuracy"] for path in done]
        yield f"| {' | '.join([row.title, *_cells(scores), _percent(floats), _losses(scores)])} |"


def _cells(scores: Sequence[dict[str, Any]]) -> Iterator[str]:
    for devices in GROUPS.values():
        yield _percent([statistics.fmean(one["by_device"][name]["accuracy"] for name in devices) for one in scores])
    yield _percent([one["accuracy"] for one in scores])


def _losses(scores: Sequence[dict[str, Any]]) -> str:
    return f"{statistics.fmean(one['log_loss'] for one in scores):.3f}"


def main() -> None:
    """Write the city, train the rows' networks, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="networks, or members of a teacher, to train at a time")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all; 'none' only writes the page")
    given = parser.parse_args()
    dataset = open_dataset(write_city(given.runs / "city", test_locations=TEST_LOCATIONS).folder)
    wanted = [row for row in ROWS if not given.rows or row.folder in given.rows]
    for devices in sorted({row.devices for row in wanted if row.distilled}):
        _teacher(devices, dataset, given.runs, given.jobs)
    calls = [(row, seed, dataset, given.runs) for row in wanted for seed in range(given.seeds)]
    for out in parallel.spread(network, calls, given.jobs):
        print(out, flush=True)
    fill(PAGE, {"city": lines(given.runs)})


if __name__ == "__main__":
    main()
