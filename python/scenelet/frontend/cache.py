"""Cache of features on disk: computed once per front end and file, and mapped into memory.

::

    <folder>/shards/<key>.npz   features of up to 64 clips, sealed (:mod:`scenelet.core.sealed`)
    <folder>/<key>.npy          features of a whole list of clips, mapped into memory
    <folder>/<key>.json         number of windows per clip, and the .npy's checksum; written last

A key is a hash of the front end's tables, of the rule that cuts a file into windows, of each file's path, size and
times of change, and of the alteration of an altered copy. Both times count: mtime, which a copy may preserve, and
ctime, which only the system sets. Files appear whole or not at all, so a build that was killed resumes where it
stopped. A file that is damaged, or from a version without seals, is made again with a note; one that the system does
not let be read is an error.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..config.recipe import FrontendConfig
from ..core import files, parallel
from ..core.json_files import Checked, checked, read_object
from ..core.notes import note, tell
from ..core.sealed import pack, unpack
from ..data.augmentation.plan import Altered, apply_to
from ..data.dataset import Clip
from ..errors import AudioError, DamagedFileError
from .available import open_frontend
from .capture import read_clip
from .tables import Tables, make_tables

# Part of every key: raise the number when the processing from file to windows changes.
_RULE = "mono soxr-hq consecutive 2"
_SHARD_CLIPS = 64
_READ_BYTES = 1 << 20
_AGAIN = "it is made again"

Progress = Callable[[int, int], None]


def cached_features(
    clips: Sequence[Clip],
    config: FrontendConfig,
    folder: str | Path,
    jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Compute the features of clips, or find them in the cache.

    Parameters
    ----------
    clips
        At least one clip; only ``path`` and the alteration of an altered copy are used.
    config
        The front end.
    folder
        Of the cache; created where it is missing. It may be deleted at any time.
    jobs
        Threads that read and compute outside Python's lock; below 1, as many as there are processors. A cluster
        replaces them (see :mod:`scenelet.core.parallel`).
    progress
        Called with (clips done, clips) after every shard.

    Returns
    -------
    features
        int8, (n, n_mels, frames): a read-only memory map, windows in the order of ``clips``.
    clip_index
        int64, (n,): index into ``clips`` of every window.

    Raises
    ------
    AudioError
        Where a file is missing or cannot be read, or there is no clip.
    ToolError
        Where there is no C compiler.
    """
    if not clips:
        raise AudioError("clips", "there are none", "give at least one audio file")
    folder, tables = Path(folder), make_tables(config)
    identities = [_identity(clip) for clip in clips]
    target = folder / _key(tables, identities)
    counts = _valid_counts(target, config)
    if counts is None:
        shards = list(_shards(clips, identities, tables, folder / "shards"))
        counts = [count for part in _build(shards, tables, jobs, progress) for count in part]
        for leftovers in (folder, folder / "shards"):
            files.sweep(leftovers)
        _join(shards, counts, target, config)
    features = np.load(target.with_suffix(".npy"), mmap_mode="r")
    return features, np.repeat(np.arange(len(clips)), counts)


class _Shard:
    """Clips whose features are in one file."""

    def __init__(self, clips: Sequence[Clip], path: Path) -> None:
        self.clips, self.path = clips, path

    def read(self) -> tuple[NDArray[np.int8], list[int]] | None:
        """Features and windows per clip; None where there is no file, or a damaged one, which a note tells.

        Raises
        ------
        InputError
            The system does not let the file be read.
        """
        if not files.is_there(self.path):
            return None
        try:
            arrays = unpack(files.read_bytes(self.path), self.path, _AGAIN, seal=True)
            return self._checked(arrays)
        except DamagedFileError as error:
            note(error.subject, f"{error.problem}; {error.remedy}")
            return None

    def _checked(self, arrays: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.int8], list[int]]:
        features, counts = arrays.get("features"), arrays.get("counts")
        if features is None or counts is None or len(counts) != len(self.clips) or len(features) != counts.sum():
            raise DamagedFileError(self.path, "is of other clips", _AGAIN)
        return features, counts.tolist()

    def require(self, tables: Tables) -> list[int]:
        """Windows per clip; computes the features where the file is missing or damaged."""
        found = self.read()
        return found[1] if found else self._compute(tables)

    def _compute(self, tables: Tables) -> list[int]:
        config, frontend = tables.config, open_frontend(tables)
        parts = []
        for clip in self.clips:
            samples = apply_to(clip, read_clip(clip, config), config.sample_rate, config.sample_bits)
            parts.append(frontend.recording(samples))
        counts = [len(part) for part in parts]
        content = pack({"features": np.concatenate(parts), "counts": np.array(counts, np.int64)})
        files.write_bytes(self.path, content)
        return counts


def _identity(clip: Clip) -> str:
    try:
        status = clip.path.stat()
    except OSError as error:
        raise AudioError(clip.path, error.strerror or "cannot be read", "check the path") from None
    name = f"{clip.named(str(clip.path.absolute()))}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}"
    return f"{name}\0{clip.identity}" if isinstance(clip, Altered) else name


def _key(tables: Tables, identities: Sequence[str]) -> str:
    content = json.dumps([_RULE, tables.sha256, tables.config.clip_samples, *identities])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _shards(clips: Sequence[Clip], identities: Sequence[str], tables: Tables, folder: Path) -> Iterator[_Shard]:
    """Cut shards where the recording changes, so that different splits share the shards of a recording."""
    start = 0
    for end in range(1, len(clips) + 1):
        if end == len(clips) or clips[end].recording != clips[start].recording or end - start == _SHARD_CLIPS:
            part = slice(start, end)
            yield _Shard(clips[part], folder / f"{_key(tables, identities[part])}.npz")
            start = end


def _build(shards: Sequence[_Shard], tables: Tables, jobs: int, progress: Progress | None) -> Iterator[list[int]]:
    """Compute missing shards; yields windows per clip, shard by shard."""
    open_frontend(tables)  # compiles the C once, before the threads start
    total, done = sum(len(shard.clips) for shard in shards), 0
    tasks = ((shard, tables) for shard in shards)
    for shard, counts in zip(shards, parallel.spread(_require, tasks, jobs, threads=True), strict=True):
        done += len(shard.clips)
        if progress:
            progress(done, total)
        tell("compute features", done, total)
        yield counts


def _require(shard: _Shard, tables: Tables) -> list[int]:
    return shard.require(tables)


def _join(shards: Sequence[_Shard], counts: Sequence[int], target: Path, config: FrontendConfig) -> None:
    """Concatenate the shards into one .npy, and write its checksum to a .json."""
    shape = (sum(counts), config.n_mels, config.frames)
    array = target.with_suffix(".npy")
    with files.whole_file(array) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|i1", "fortran_order": False, "shape": shape})
        for shard in shards:
            found = shard.read()
            if found is None:
                raise DamagedFileError(shard.path, "was damaged while it was used", "give the same command again")
            file.write(found[0].tobytes())
    files.write_text(target.with_suffix(".json"), json.dumps({"counts": list(counts), "crc32": _crc32(array)}))


def _crc32(path: Path) -> int:
    value = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_READ_BYTES):
                value = zlib.crc32(block, value)
    except OSError as error:
        raise files.unreadable(path, error) from None
    return value


class _Proof(Checked):
    """What the .json says of the .npy beside it."""

    counts: list[Annotated[int, Field(ge=1)]]
    crc32: int


def _valid_counts(target: Path, config: FrontendConfig) -> list[int] | None:
    """Windows per clip of a joined file; None where it is missing or damaged.

    Raises
    ------
    InputError
        The system does not let the files be read.
    """
    array, told = target.with_suffix(".npy"), target.with_suffix(".json")
    if not (files.is_there(array) and files.is_there(told)):
        return None
    try:
        proof = checked(_Proof, read_object(told, _AGAIN), told, _AGAIN)
        if _crc32(array) != proof.crc32:
            raise DamagedFileError(array, "is damaged", _AGAIN)
    except DamagedFileError as error:
        note(error.subject, f"{error.problem}; {error.remedy}")
        return None
    shape = (sum(proof.counts), config.n_mels, config.frames)
    return proof.counts if np.load(array, mmap_mode="r").shape == shape else None
