"""Scaling of features, tables and batches to TAU's 230,350 clips: speed and memory on data sets in its layout.

``tools/experiments/scale.py`` writes noise as 1-s clips, 44.1 kHz, 24 bit, into a scratch folder, in two sizes, and
measures every step in a process of its own. Memory is a process's anonymous memory (RssAnon), without the pages of the
memory-mapped feature file, which the system can reclaim.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.data.datasets.tau import DEVICES, SCENES
from scenelet.training.windows import Windows, load

CLIPS = 230_350
RATE, SAMPLE_BYTES = 44_100, 3
LINKS = 50_000  # hard links per file
NAMES = ("open the tables", "features", "features again", "an epoch of batches")


def write_corpus(root: Path, count: int, files: int) -> None:
    """Write ``count`` clips of noise in TAU's layout; with fewer ``files``, clips share them by hard links."""
    (root / "audio").mkdir(parents=True)
    (root / "evaluation_setup").mkdir()
    chance = np.random.default_rng(0)
    meta, train, test = ["filename\tscene_label\tidentifier\tsource_label"], ["filename\tscene_label"], [""]
    for number in range(count):
        scene, device, location = SCENES[number % 10], DEVICES[number // 10 % 9], number // 20
        name = f"audio/{scene}-lyon-{location}-{number}-{number % 10}-{device}.wav"
        if number < files:
            _write_wav(root / name, chance)
        else:
            os.link(root / meta[1 + number % files].split("\t")[0], root / name)
        meta.append(f"{name}\t{scene}\tlyon-{location}\t{device}")
        (test if location % 5 == 4 else train).append(f"{name}\t{scene}")
    for path, rows in (("meta.csv", meta), ("evaluation_setup/fold1_train.csv", train)):
        (root / path).write_text("\n".join(rows) + "\n")
    (root / "evaluation_setup/fold1_evaluate.csv").write_text("\n".join([train[0], *test[1:]]) + "\n")


def _write_wav(path: Path, chance: np.random.Generator) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, SAMPLE_BYTES, RATE, RATE, "NONE", ""))
        file.writeframes(chance.bytes(RATE * SAMPLE_BYTES))


class Peak:
    """Largest RssAnon of this process while the block runs, bytes."""

    def __init__(self) -> None:
        self.bytes, self._going = 0, True

    def __enter__(self) -> Peak:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while self._going:
            for line in Path("/proc/self/status").read_text().splitlines():
                if line.startswith("RssAnon"):
                    self.bytes = max(self.bytes, 1024 * int(line.split()[1]))
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self._going = False
        self._thread.join()


def _epoch(data: Windows) -> None:
    """Read every window once, in batches, in a random order."""
    for index in np.array_split(np.random.default_rng(0).permutation(len(data)), -(-len(data) // 64)):
        data.batch(index)


def step(name: str, root: Path, jobs: int) -> dict[str, float]:
    """Run one step; return seconds of wall clock ("wall") and of processor ("cpu"), and peak memory in bytes."""
    frontend, cache = recipe.load("sm1").frontend, root / "cache"
    dataset = None if name == NAMES[0] else open_dataset(root)
    data = load(dataset, "all", frontend, cache, jobs=jobs) if dataset and name == NAMES[3] else None

    def work() -> None:
        if dataset is None:
            open_dataset(root)
        elif data is None:
            load(dataset, "all", frontend, cache, jobs=jobs)
        else:
            _epoch(data)

    processor, start = time.process_time(), time.monotonic()
    with Peak() as peak:
        work()
    return {"wall": time.monotonic() - start, "cpu": time.process_time() - processor, "peak": peak.bytes}


def whole_table(root: Path) -> dict[str, float]:
    """Read batches of a feature file of TAU's size with noise as its values; result as of :func:`step`."""
    config = recipe.load("sm1").frontend
    path, chance = root / "features.npy", np.random.default_rng(0)
    file = np.lib.format.open_memmap(path, "w+", np.int8, (CLIPS, config.n_mels, config.frames))
    for start in range(0, CLIPS, 10_000):
        file[start : start + 10_000] = chance.integers(-128, 128, file[start : start + 10_000].shape, np.int8)
    del file
    data = Windows(np.load(path, mmap_mode="r"), np.arange(CLIPS) % 10, np.arange(CLIPS))
    processor, start_time = time.process_time(), time.monotonic()
    with Peak() as peak:
        assert len(data.sha256) == 64
        _epoch(data)
    return {"wall": time.monotonic() - start_time, "cpu": time.process_time() - processor, "peak": peak.bytes}


def _in_own_process(*arguments: str) -> dict[str, float]:
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def measure(sizes: Sequence[int], scratch: Path, jobs: int) -> dict[str, Any]:
    """Measure all steps on data sets of all sizes, and at TAU's size those that need no audio."""
    found: dict[str, Any] = {}
    for size in sizes:
        root = scratch / str(size)
        write_corpus(root, size, size)
        found[f"{size:,}"] = {name: _in_own_process("--step", name, str(root), "--jobs", str(jobs)) for name in NAMES}
    root = scratch / "all"
    write_corpus(root, CLIPS, -(-CLIPS // LINKS))
    found[f"{CLIPS:,}"] = {
        "open the tables": _in_own_process("--step", "open the tables", str(root)),
        "an epoch of batches": _in_own_process("--step", "whole", str(root)),
    }
    return found


def _rows(found: dict[str, Any]) -> list[str]:
    rows = ["| clips | step | wall, s | processor, s | memory, MB |", "|---:|---|---:|---:|---:|"]
    for size, steps in found.items():
        for name, seen in steps.items():
            cells = f"{seen['wall']:.1f} | {seen['cpu']:.1f} | {seen['peak'] / 1e6:.0f}"
            rows.append(f"| {size} | {name} | {cells} |")
    return rows


def report(found: dict[str, Any], jobs: int) -> str:
    """Text of the page."""
    *_, largest, _whole = found
    count, seen = int(largest.replace(",", "")), found[largest]["features"]
    smallest = next(iter(found))
    growth = (seen["peak"] - found[smallest]["features"]["peak"]) / (count - int(smallest.replace(",", "")))
    hours = CLIPS * seen["cpu"] / count / 3600
    return "\n".join(
        [
            *_rows(found),
            "",
            f"Features: {count / seen['cpu']:.0f} clips a second of processor time, {count / seen['wall']:.0f} of",
            f"wall clock (`--jobs {jobs}`). All {CLIPS:,} clips: {hours:.2f} hours of processor time, extrapolated.",
            f"The memory of that step grows by {growth / 1e3:.1f} kB a clip.",
            "",
        ]
    )


def main() -> None:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=2, default=(2000, 4000))
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--step", nargs=2, metavar=("NAME", "ROOT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.step:
        name, root = chosen.step[0], Path(chosen.step[1])
        print(json.dumps(whole_table(root) if name == "whole" else step(name, root, chosen.jobs)))
        return
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as scratch:
        print(report(measure(chosen.sizes, Path(scratch), chosen.jobs), chosen.jobs))


if __name__ == "__main__":
    main()
