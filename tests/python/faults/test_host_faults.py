"""Full disks, folders that may not be written, clocks that are wrong, odd trees of files, two commands on one cache."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import disk
import numpy as np
import pytest
import soundfile
from commands import Done

from scenelet.config.recipe import FrontendConfig
from scenelet.core import files, sealed, toolchain
from scenelet.core.notes import InputNote
from scenelet.data.dataset import Clip, Dataset
from scenelet.data.datasets.registry import open_dataset
from scenelet.data.synthetic.city import write_city
from scenelet.errors import DatasetError, InputError
from scenelet.frontend.cache import cached_features

MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
CONFIG = FrontendConfig(n_fft=256, hop_length=256, n_mels=16, clip_seconds=0.256)
Run = Callable[..., Done]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: every write ends as on a disk that is full there."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def clips(folder: Path, count: int = 4) -> list[Clip]:
    folder.mkdir(parents=True)
    chance = np.random.default_rng(0)
    for number in range(count):
        soundfile.write(folder / f"r{number}x.wav", chance.normal(0, 0.1, 8000), 8000, subtype="PCM_16")
    return [Clip(path, "a", path.stem) for path in sorted(folder.iterdir())]


WRITERS: dict[str, Callable[[Path], object]] = {
    "file": lambda out: files.write_text(out / "a.json", "x" * 5000),
    "folder": lambda out: files.write_folder(out, {"a.c": "x" * 5000, "b.c": "y" * 9000}),
    "array": lambda out: sealed.write_array(out / "a.npy", np.zeros(5000, np.int8)),
    "archive": lambda out: files.write_bytes(out / "a.npz", sealed.pack({"a": np.zeros(5000, np.int8)})),
    "data set": lambda out: write_city(out / "city", train_locations=2, test_locations=1, train_seconds=1),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("size", [0, 100, 4096])
def test_a_full_disk_leaves_the_old_files_and_nothing_else(kind: str, size: int, tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("old")
    (tmp_path / "a.json").write_text("old")
    before = tree(tmp_path)
    with files_of_at_most(size), pytest.raises(InputError, match=r"cannot be written: .*; (free|allow)"):
        WRITERS[kind](tmp_path)
    assert tree(tmp_path) == before
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_the_shipped_commands_say_where_space_is_missing(scenelet: Run, tmp_path: Path) -> None:
    with files_of_at_most(1000):
        done = scenelet("export", MODEL, "--out", tmp_path / "out")
    assert done.status == 2
    assert "cannot be written: File too large; allow larger files (ulimit -f)" in done.complaint
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fails_at_any_call() -> None:
    """Full, read-only and broken from one of a command's calls on; the tool takes every call of every command."""
    command = [sys.executable, disk.__file__, "export", "synth", "--times", "3"]
    places = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": places}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"(\w+): failed at 3 of (\d+) calls, 0 failures", done.stdout)
    assert [name for name, _ in told] == ["export", "synth"]
    assert all(int(calls) > 30 for _, calls in told)


@pytest.mark.parametrize("number", disk.ERRORS)
def test_the_disk_fails_from_that_call_on(number: int, tmp_path: Path) -> None:
    """In a process of its own, whose libc is led through the library: open, write, rename, each from then on."""
    library = tmp_path / "failing_disk.so"
    disk.compile_library(library)
    program = (
        "import ctypes, os, sys\n"
        "from pathlib import Path\n"
        "lib, out = ctypes.CDLL(sys.argv[1]), Path(sys.argv[2])\n"
        "lib.disk_arm(os.fsencode(out), ctypes.c_long(3), int(sys.argv[3]))\n"
        "(out / 'whole').write_text('x')\n"  # two calls
        "for call in (lambda: (out / 'b').write_text('x'), lambda: (out / 'd').mkdir(),\n"
        "             lambda: (out / 'whole').rename(out / 'e'), lambda: open(out / 'whole', 'ab').write(b'x')):\n"
        "    try: call(); print('done')\n"
        "    except OSError as error: print(error.errno)\n"
        "(out.parent / 'elsewhere').write_text('x'); print(lib.disk_seen(), [path.name for path in out.iterdir()])\n"
    )
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", program, library, tmp_path / "out", str(number)]
    environment = os.environ | {"LD_PRELOAD": str(library)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(number)] * 4 + ["6 ['whole']"]


# --- the cache


def test_two_commands_on_one_cache_get_the_same_features(tmp_path: Path) -> None:
    found = clips(tmp_path / "data", 12)
    program = (
        "import sys; from pathlib import Path; from test_host_faults import *; import hashlib\n"
        "found = [Clip(path, 'a', path.stem) for path in sorted(Path(sys.argv[1]).iterdir())]\n"
        "print(hashlib.sha256(cached_features(found, CONFIG, sys.argv[2])[0].tobytes()).hexdigest())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (*sys.path, str(Path(__file__).parent))))}
    command = [sys.executable, "-c", program, str(tmp_path / "data"), str(tmp_path / "cache")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    said = {process.communicate()[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert len(said) == 1
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.name.endswith(".part")]
    alone = cached_features(found, CONFIG, tmp_path / "other")[0]
    assert np.array_equal(cached_features(found, CONFIG, tmp_path / "cache")[0], alone)


def test_every_entry_of_the_cache_may_be_damaged(tmp_path: Path) -> None:
    found, cache = clips(tmp_path / "data"), tmp_path / "cache"
    want = cached_features(found, CONFIG, cache)[0].copy()
    chance = np.random.default_rng(1)
    entries = sorted(path for path in cache.rglob("*") if path.is_file())
    assert {path.suffix for path in entries} == {".npz", ".npy", ".json"}
    for path in entries * 3:
        content = bytearray(path.read_bytes())
        content[int(chance.integers(len(content)))] ^= 1 << int(chance.integers(8))
        path.write_bytes(content[: len(content) - int(chance.integers(0, 2)) * 5])
        if path.suffix == ".npz":  # not read again while the joined file is there
            for joined in cache.glob("*.npy"):
                joined.unlink()
        with pytest.warns(InputNote, match="it is made again"):
            assert np.array_equal(cached_features(found, CONFIG, cache)[0], want)


@pytest.mark.parametrize("seconds", [-10 * 365 * 86_400, 10 * 365 * 86_400])
def test_a_clock_that_was_wrong_changes_no_result(seconds: int, tmp_path: Path) -> None:
    """Files from the future or from long ago: a key holds their times as they are and compares none with now."""
    found, cache = clips(tmp_path / "data"), tmp_path / "cache"
    want = cached_features(found, CONFIG, cache)[0].copy()
    then = time.time() + seconds
    for path in (*cache.rglob("*"), *(clip.path for clip in found)):
        os.utime(path, (then, then))
    assert np.array_equal(cached_features(found, CONFIG, cache)[0], want)
    # Another content with the old size and time of modification: the time of change, which nobody can set, differs.
    before = found[0].path.stat()
    soundfile.write(found[0].path, np.zeros(8000), 8000, subtype="PCM_16")
    os.utime(found[0].path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found[0].path.stat().st_size == before.st_size
    assert not np.array_equal(cached_features(found, CONFIG, cache)[0], want)


# --- trees of files


def test_names_that_are_not_utf8_have_a_hash(tmp_path: Path) -> None:
    """A data set that was made by a program of one's own; those of folders and tables are refused by name."""
    name = os.fsdecode(b"r\xff.wav")
    clip = Clip(tmp_path / name, "a", "r")
    dataset = Dataset("own", tmp_path, ("a", "b"), (clip,), {"train": (clip,)})
    other = replace(dataset, splits={"train": (Clip(tmp_path / os.fsdecode(b"r\xfe.wav"), "a", "r"),)})
    assert len(dataset.sha256) == 64
    assert dataset.sha256 != other.sha256


def class_folders(root: Path) -> Path:
    for label in ("a", "b"):
        clips(root / label)
    return root


def test_links_that_lead_nowhere_or_in_circles(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "data")
    plain = open_dataset(root)
    (root / "a" / "gone.wav").symlink_to(root / "nowhere.wav")
    (root / "a" / "self.wav").symlink_to(root / "a" / "self.wav")
    (root / "a" / "loop").symlink_to(root / "a")
    (root / "gone").symlink_to(root / "nowhere")
    (root / "ring").symlink_to(root / "ring")
    assert open_dataset(root).sha256 == plain.sha256
    (root / "c").symlink_to(root)
    with pytest.raises(DatasetError, match=r"is a link to .*, which holds the whole data set; remove it"):
        open_dataset(root)


@pytest.mark.sweep
def test_a_hundred_thousand_files(tmp_path: Path) -> None:
    """Memory of a large folder; the page about reliability has it, and the time."""
    for label in ("a", "b"):
        for part in range(50):
            folder = tmp_path / "data" / label / f"recording{part}"
            folder.mkdir(parents=True)
            for number in range(1000):
                (folder / f"{number}.wav").touch()
    program = (
        "import sys; from scenelet.data.datasets.registry import open_dataset\n"
        "found = open_dataset(sys.argv[1]); found.sha256\n"
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(len(found.clips), int(peak.split()[1]) * 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "data"], capture_output=True, text=True, check=True
    )
    count, peak = done.stdout.split()
    assert int(count) == 100_000
    assert int(peak) < 512 << 20
