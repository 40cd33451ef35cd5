"""Write docs/results/resampling.md: the integer decimator compared with soxr, in the features and in accuracy.

A network is trained twice from the same seeds, once on audio resampled by soxr and once on audio from the device's
decimator, and each network is scored on both. `--folder` keeps the runs, so that an interrupted measurement resumes.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenelet.config import recipe as recipes
from scenelet.config.recipe import FrontendConfig, Recipe
from scenelet.core import toolchain
from scenelet.core.files import write_text
from scenelet.data.audio import read_audio
from scenelet.data.datasets.registry import Dataset, open_dataset
from scenelet.frontend.capture import CAPTURE_BITS, read_capture
from scenelet.frontend.decimator import decimate
from scenelet.frontend.mel import band_edges
from scenelet.frontend.native import Frontend
from scenelet.frontend.tables import make_tables
from scenelet.training.loop import Predictor
from scenelet.training.run_folder import load_model
from scenelet.training.train import score, train
from scenelet.training.windows import load

RESULT = Path(__file__).resolve().parents[2] / "docs" / "results" / "resampling.md"
DB_A_STEP = 10 * np.log10(2) / 65536
DELAY = 15  # output k is centred on sample 2 k + 1 - 31 at 16 kHz
EDGES = (0, 500, 1000, 2000, 3000, 3400, 3700, 4000)  # Hz


def levels(samples: NDArray[np.int32], frontend: Frontend) -> NDArray[np.float64]:
    """Log-mel levels in dB above ``lo_db``, (frames, bands), clipped to the range of a feature."""
    config = frontend.tables.config
    frames = np.lib.stride_tricks.sliding_window_view(samples, config.n_fft)[:: config.hop_length]
    spans = np.subtract(config.hi_by_band, config.lo_by_band)
    return np.asarray(np.clip(frontend.frame_levels(frames) * DB_A_STEP, 0, spans), np.float64)


def differences(dataset: Dataset, split: str, device: FrontendConfig, delay: int) -> NDArray[np.float64]:
    """Levels with the decimator minus those with soxr delayed by ``delay`` samples, dB, (frames, bands)."""
    plain = device.model_copy(update={"capture_rate": None})
    frontend = Frontend(make_tables(plain))
    parts = []
    for clip in dataset.split(split):
        ways = [read_capture(clip.path, config) for config in (device, plain)]
        ways[1] = np.pad(ways[1], (delay, 0))
        length = min(map(len, ways))
        decimated, resampled = (levels(samples[:length], frontend) for samples in ways)
        parts.append(decimated - resampled)
    return np.concatenate(parts)


def residual(dataset: Dataset, split: str, device: FrontendConfig) -> float:
    """Largest difference, dB, between the levels in training and those of the decimator's specification in NumPy."""
    rate, bits = device.capture_rate, device.sample_bits
    if rate is None or bits != CAPTURE_BITS:
        raise ValueError("the comparison needs a decimator and 24-bit samples")
    frontend, most = Frontend(make_tables(device)), 0.0
    for clip in dataset.split(split):
        specified = decimate(read_audio(clip.path, rate, CAPTURE_BITS), rate, device.sample_rate)
        found = levels(read_capture(clip.path, device), frontend) - levels(specified, frontend)
        most = max(most, float(np.abs(found).max()))
    return most


def group_rows(delayed: NDArray[np.float64], aligned: NDArray[np.float64], config: FrontendConfig) -> list[str]:
    """One row per group of bands, by the bands' centres."""
    centres = band_edges(config)[1:-1]
    rows = []
    for low, high in pairwise(EDGES):
        bands = (centres >= low) & (centres < high)
        cells = [f"{low:,} to {high:,} Hz", str(bands.sum()), f"{delayed[:, bands].mean():+.3f}"]
        for found in (delayed, aligned):
            size = np.abs(found[:, bands])
            cells += [f"{size.mean():.3f}", f"{np.percentile(size, 99):.2f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def with_rate(recipe: Recipe, rate: int | None, epochs: int, seed: int) -> Recipe:
    """The recipe with another capture rate, number of epochs and seed."""
    frontend = FrontendConfig.model_validate(recipe.frontend.model_dump() | {"capture_rate": rate})
    training = recipe.training.model_copy(update={"epochs": epochs, "patience": epochs, "seed": seed})
    return recipe.model_copy(update={"frontend": frontend, "training": training})


def accuracies(dataset: Dataset, folder: Path, recipe: Recipe, rate: int, epochs: int, seeds: int) -> dict[str, str]:
    """Accuracy of the test's windows for each seed, by "trained on, tested on"."""
    cache = toolchain.build_folder() / "features"
    ways = {"soxr": None, "decimator": rate}
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        for trained, way in ways.items():
            one = with_rate(recipe, way, epochs, seed)
            run = folder / f"{trained}-{seed}"
            train(one, dataset, run, cache=cache)
            predict = Predictor(load_model(run))
            for tested, other in ways.items():
                data = load(dataset, "test", with_rate(recipe, other, epochs, seed).frontend, cache)
                found.setdefault(f"{trained}, {tested}", []).append(
                    score(predict(data), data, dataset.labels)["accuracy"]
                )
    return {name: ", ".join(f"{value:.1%}" for value in values) for name, values in found.items()}


def render(rows: list[str], same: float, table: dict[str, str], asked: argparse.Namespace, data: Dataset) -> str:
    """Text of the page."""
    lines = "\n".join(f"| {' | '.join(name.split(', '))} | {value} |" for name, value in table.items())
    options = f"--recipe {asked.recipe} --rate {asked.rate} --epochs {asked.epochs} --seeds {asked.seeds}"
    return f"""# soxr or the device's decimator

Written by the command below; do not edit. {data.name}, split `test`, {len(data.split("test"))} clips. "The microphone"
is soxr (HQ) to {asked.rate:,} Hz at 24 bit; from there one path continues with soxr, the other with the integer
decimator of [FRONTEND.md](../FRONTEND.md).

```
python tools/experiments/resampling.py --data DATA {options}
```

## Features, before training

Log-mel levels through the decimator less those through soxr, limited to the range that a feature can hold, in dB:
their mean, the mean of their absolute values, and the absolute value that 99 % are below. "Aligned" is without the
decimator's delay, which soxr does not have: {DELAY} samples at the front end's rate. The delay shifts the frames.

| bands with centres in | bands | mean | mean absolute | 99 % | aligned: mean absolute | 99 % |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Above 3.4 kHz the filters differ: the decimator's pass band ends there, and what it lets through around 4 kHz is
aliased.

## After training through it

Training with `capture_rate` reads its audio through the firmware's own C; the largest difference from the
decimator's specification in any band of these clips is {same:g} dB. The effect on the accuracy of windows
(macro), {asked.seeds} seeds of {asked.epochs} epochs each:

| trained on | tested on | accuracy |
|---|---|---|
{lines}

These are short trainings on a small data set of {len(data.split("test"))} test clips. They show whether there is a
difference that matters, not how good the network can become.
"""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--recipe", default="firmware/models/esc10_sm1.toml")
    parser.add_argument("--rate", type=int, default=16000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=toolchain.build_folder() / "resampling")
    asked = parser.parse_args()
    dataset, recipe = open_dataset(asked.data), recipes.load(asked.recipe)
    device = with_rate(recipe, asked.rate, 1, 0).frontend
    delayed, aligned = (differences(dataset, "test", device, delay) for delay in (0, DELAY))
    rows = group_rows(delayed, aligned, device)
    table = accuracies(dataset, asked.folder, recipe, asked.rate, asked.epochs, asked.seeds)
    write_text(RESULT, render(rows, residual(dataset, "test", device), table, asked, dataset))


if __name__ == "__main__":
    main()
