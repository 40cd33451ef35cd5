"""The whole pipeline once: recordings, training, INT8, C sources, PlatformIO, QEMU, scores."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

from ..benchmark.budget import Budget, budget_of
from ..benchmark.instructions import Bench, bench
from ..config import recipe
from ..config.recipe import Recipe
from ..core import toolchain
from ..core.files import write_text
from ..data.dataset import Dataset
from ..data.datasets.registry import open_dataset
from ..data.synthetic.city import write_city
from ..deploy.export import Export, export
from ..errors import CheckFailed
from ..evaluation.evaluate import Evaluation, Progress, evaluate, model_info
from ..evaluation.parity import check
from ..frontend.tables import make_tables
from ..targets import open_target
from ..tflite.metadata import read
from ..tflite.reader import read_model
from .report import Request, write_report

MODEL_FILE = "model.tflite"

Say = Callable[[str], None]
Bar = Callable[[str], AbstractContextManager[Progress]]

# Enough epochs to show the pipeline in minutes; a recipe's own settings are for real training.
EPOCHS, PATIENCE = 40, 12
PARITY_CASES = 10


@dataclass
class Demo:
    """A demo in progress.

    Attributes
    ----------
    folder
        Where the demo works.
    recipe, teacher
        Of the network, and of its teacher if it has one.
    dataset
        The recordings.
    say, progress
        Announce a stage, and show its progress.
    seconds, stage_seconds
        Wall time of every stage so far, and of the stages of the distillation.
    """

    folder: Path
    recipe: Recipe
    dataset: Dataset
    say: Say
    progress: Bar
    teacher: Recipe | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    stage_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def run_folder(self) -> Path:
        """Folder of the training run; each data set, recipe, teacher and front end has its own."""
        return self._folder(self.recipe, *([self.teacher.sha256] if self.teacher else []))

    @property
    def teacher_folder(self) -> Path:
        """Folder of the teacher's run."""
        assert self.teacher is not None
        return self._folder(self.teacher)

    def _folder(self, recipe_: Recipe, *more: str) -> Path:
        parts = (recipe_.sha256, make_tables(recipe_.frontend).sha256, self.dataset.sha256, *more)
        return self.folder / f"{self.dataset.name}-{hashlib.sha256(''.join(parts).encode()).hexdigest()[:8]}"

    @property
    def model(self) -> Path:
        """Path of the quantized model."""
        return self.run_folder / MODEL_FILE

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Announce a stage and time it."""
        self.say(name)
        start = monotonic()
        with self.progress(name) as step:
            yield step
        self.seconds[name] = round(monotonic() - start, 1)


def demo_recipe(name: str = "sm1") -> Recipe:
    """Load a shipped recipe and give it the demo's short training."""
    return recipe.changed(recipe.load(name), "training", epochs=EPOCHS, patience=PATIENCE)


def _city(folder: Path, say: Say, progress: Bar) -> Path:
    say("write a synthetic city")
    with progress("write a synthetic city") as step:
        write_city(folder, progress=step)
    return folder


def _train(demo: Demo) -> dict[str, Any]:
    # TensorFlow takes seconds to import; no earlier stage needs it.
    from ..quantization.convert import quantize_run

    metrics = _distill(demo, demo.teacher) if demo.teacher else _train_run(demo, demo.recipe, demo.run_folder)
    with demo.stage("quantise to INT8"):
        quantize_run(demo.run_folder)
    return metrics


def _train_run(demo: Demo, recipe_: Recipe, out: Path) -> dict[str, Any]:
    from ..training.train import train

    with demo.stage(f"train {recipe_.name}") as step:
        done = train(recipe_, demo.dataset, out, jobs=-1, watch=lambda epoch, most: step(epoch.epoch, most))
    return done.metrics


def _distill(demo: Demo, teacher: Recipe) -> dict[str, Any]:
    """Train the teacher, then its student, and time each stage of the distillation."""
    from ..training.distillation.distill import distill

    _train_run(demo, teacher, demo.teacher_folder)
    starts: list[tuple[str, float]] = []
    with demo.stage(f"distil {demo.recipe.name}") as step:
        done = distill(
            demo.recipe,
            demo.dataset,
            demo.teacher_folder,
            demo.run_folder,
            jobs=-1,
            watch=lambda epoch, most: step(epoch.epoch, most),
            on_stage=lambda stage: starts.append((stage, monotonic())),
        )
    for (stage, start), (_, end) in pairwise([*starts, ("", monotonic())]):
        demo.stage_seconds[stage] = round(end - start, 1)
    return done.metrics


def _budget(demo: Demo) -> Budget:
    with demo.stage("check the limits"):
        result = budget_of(str(demo.model), toolchain.EMULATED_BOARD)
    if not result.ok:
        raise CheckFailed(demo.model, "; ".join(map(str, result.violations)))
    return result


def _build(demo: Demo) -> Export:
    """Write the C sources, and build them with PlatformIO as a user would."""
    generated, build = (demo.folder.absolute() / name for name in ("generated", "pio"))
    with demo.stage("export C sources"):
        result = export(demo.model, generated)
    with demo.stage("pio run -e qemu"):
        toolchain.run(
            ["pio", "run", "-d", toolchain.REPOSITORY, "-e", "qemu"],
            env={**os.environ, "SCENELET_GENERATED": str(generated), "PLATFORMIO_BUILD_DIR": str(build)},
            family=True,
        )
    return result


def _evaluate(demo: Demo, target: str) -> Evaluation:
    read_model(demo.model)
    info = model_info(read(demo.model.read_bytes()), demo.model)
    with demo.stage(f"evaluate on {target}") as step, open_target(target, demo.model) as place:
        result = evaluate(demo.model, info, demo.dataset, "test", place, progress=step)
    write_text(demo.run_folder / f"evaluation_{target}.json", json.dumps(result.to_json(), indent=2) + "\n")
    return result


def _parity(demo: Demo, int8: Evaluation, board: Evaluation) -> int:
    """Number of values that differ between this computer and the emulated board: test scores, and tensors."""
    mismatches = sum(one != other for one, other in zip(int8.rows, board.rows, strict=True))
    for target in ("host", "qemu"):
        with demo.stage(f"parity on {target}") as step, open_target(target, demo.model) as place:
            mismatches += check(demo.model, place, PARITY_CASES, 0, progress=step).mismatches
    return mismatches


def _bench(demo: Demo) -> Bench:
    with demo.stage("count instructions"):
        return bench(demo.model)


def run_demo(
    folder: Path,
    data: Path | None,
    say: Say,
    progress: Bar,
    *,
    recipe_: Recipe | None = None,
    teacher: Recipe | None = None,
) -> dict[str, Any]:
    """Run the pipeline from recordings to scores on the emulated board.

    Parameters
    ----------
    folder
        Working folder; an interrupted demo is resumed. ``report.json`` and ``report.html`` are written last.
    data
        A data set; None for a synthetic city.
    say, progress
        Announce a stage, and show its progress (see :mod:`scenelet.cli.output`).
    recipe_
        Of the network, with its own training settings; None for SM1 with the demo's short training.
    teacher
        Recipe of a teacher, which is trained first; the network is distilled from it as the network's recipe specifies.

    Returns
    -------
    dict
        Content of ``report.json``.

    Raises
    ------
    CheckFailed
        Where a limit is exceeded.
    """
    start = monotonic()
    recipe_ = recipe_ or demo_recipe()
    settings = recipe_.training
    dataset = open_dataset(
        data or _city(folder / "city", say, progress),
        validation_fraction=settings.validation_fraction,
        seed=settings.seed,
    )
    demo = Demo(folder, recipe_, dataset, say, progress, teacher, {"data": round(monotonic() - start, 1)})
    result, page = _measure(demo, _train(demo))
    write_text(folder / "report.json", json.dumps(result, indent=2) + "\n")
    say("write the page")
    write_report(page, folder / "report.html")
    return result


def _measure(demo: Demo, metrics: dict[str, Any]) -> tuple[dict[str, Any], Request]:
    """Check, export and measure the trained network; ``metrics`` are the float network's scores."""
    budget = _budget(demo)
    exported = _build(demo)
    int8, board = _evaluate(demo, "litert"), _evaluate(demo, "qemu")
    counted = _bench(demo)
    page = Request(demo.run_folder, demo.dataset, targets=("qemu",), made=(int8, board), bench=counted)
    result = {
        "data": demo.dataset.name,
        "recipe": demo.recipe.name,
        "model": str(demo.model),
        "windows": int8.windows,
        "accuracy_float": metrics["test"]["accuracy"],
        "accuracy_int8": int8.accuracy,
        "accuracy_qemu": board.accuracy,
        "clip_accuracy_qemu": board.clip_accuracy,
        "by_device": {name: measures.accuracy for name, measures in board.by_device.items()},
        "parity_mismatches": _parity(demo, int8, board),
        "budget": budget.to_json(),
        "instructions": counted.instructions,
        "bench": counted.to_json(),
        "model_sha256": exported.model_sha256,
        "frontend_sha256": exported.frontend_sha256,
        "seconds": demo.seconds,
        "stage_seconds": demo.stage_seconds,
    }
    return result, page
