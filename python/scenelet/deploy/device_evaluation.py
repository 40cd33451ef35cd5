"""Evaluation of a data set on a device: every window's scores compared with the host's, resumable at any window."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..core.files import is_there, read_bytes, writing
from ..core.json_files import Checked, checked, parse_object
from ..data.datasets.registry import Dataset
from ..errors import DamagedFileError, InputError, ParityError
from ..evaluation.evaluate import Evaluation, Progress, evaluate
from ..targets.base import Heard, Values
from ..targets.board import SerialTarget
from ..targets.host import HostTarget
from ..tflite.metadata import ModelInfo

_FORMAT = 1
# Windows per session: the progress bar moves once per session.
_BATCH = 16

_BEGINNING = b'{"device_scores"'
_OTHER = "give another --journal"
_NO_SCORES = "correct or remove that line of device scores, or give another --journal"

T = TypeVar("T")


class _Header(Checked):
    device_scores: int
    model_sha256: str
    frontend_sha256: str


class _Row(Checked):
    window: str
    scores: list[Annotated[int, Field(ge=-128, le=127)]]


class Journal:
    """File of the scores that a device has given, one JSON line per window, written as they come.

    An interrupted run resumes from it; an incomplete last line is dropped. A window's key is the hash of its samples,
    so the order of the data does not matter.

    Parameters
    ----------
    path
        The file; created if it is missing.
    model_sha256, frontend_sha256
        Hashes of the model and front end that give the scores.
    classes
        Number of scores per window.

    Raises
    ------
    InputError
        The file holds something else or another model's scores, or cannot be written.
    """

    def __init__(self, path: Path, model_sha256: str, frontend_sha256: str, classes: int) -> None:
        self._path, self._classes = path, classes
        header = {"device_scores": _FORMAT, "model_sha256": model_sha256, "frontend_sha256": frontend_sha256}
        self._known: dict[str, list[list[int]]] = defaultdict(list)
        kept = self._read(header) if is_there(path) else b""
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("r+b" if path.exists() else "w+b")
            self._file.truncate(len(kept))
            self._file.seek(len(kept))
        if not kept:
            self._append(header)

    def _read(self, header: dict[str, Any]) -> bytes:
        """Read the file's complete lines into memory; return their bytes."""
        content = read_bytes(self._path)
        if not _BEGINNING.startswith(content[: len(_BEGINNING)]):
            raise DamagedFileError(self._path, "is not a file of device scores", _OTHER)
        content = content[: content.rfind(b"\n") + 1]
        lines = content.split(b"\n")[:-1]
        found = self._parse(_Header, 1, lines[0]).model_dump(include=set(header)) if lines else header
        if found["device_scores"] != _FORMAT:
            raise InputError(self._path, f"has format {found['device_scores']}, not {_FORMAT}", _OTHER)
        if found != header:
            there, here = (
                f"model {one['model_sha256']}, front end {one['frontend_sha256']}" for one in (found, header)
            )
            raise InputError(self._path, f"holds scores of {there}, not of {here}", _OTHER)
        for number, line in enumerate(lines[1:], 2):
            row = self._parse(_Row, number, line)
            if len(row.scores) != self._classes:
                problem = f"has {len(row.scores)} scores of a model with {self._classes} classes"
                raise DamagedFileError(f"{self._path}:{number}", problem, _NO_SCORES)
            self._known[row.window].append(row.scores)
        return content

    def _parse(self, kind: type[T], number: int, line: bytes) -> T:
        place = f"{self._path}:{number}"
        return checked(kind, parse_object(line, place, _NO_SCORES), place, _NO_SCORES)

    def _append(self, value: dict[str, Any]) -> None:
        with writing(self._path):
            self._file.write(json.dumps(value).encode() + b"\n")
            self._file.flush()

    def take(self, window: NDArray[np.int32]) -> list[int] | None:
        """Scores of a window from an earlier run; each line is used once. None if there is none left."""
        rows = self._known.get(_digest(window))
        return rows.pop(0) if rows else None

    def add(self, window: NDArray[np.int32], scores: tuple[int, ...]) -> None:
        """Append a window's scores."""
        self._append({"window": _digest(window), "scores": list(scores)})

    def close(self) -> None:
        """Flush the file to disk and close it."""
        with writing(self._path), self._file:
            self._file.flush()
            os.fsync(self._file.fileno())


def _digest(window: NDArray[np.int32]) -> str:
    return hashlib.sha256(window.astype("<i4").tobytes()).hexdigest()[:32]


@dataclass
class Counts:
    """Counters of an evaluation.

    Attributes
    ----------
    sent, known
        Windows sent to the device; windows whose scores an earlier run had recorded.
    resent
        Frames sent more than once.
    seconds
        Time spent on the windows that were sent.
    mismatches
        Windows whose scores are not the host's.
    first
        The first mismatch: position, the device's scores and the host's.
    """

    sent: int = 0
    known: int = 0
    resent: int = 0
    seconds: float = 0.0
    mismatches: int = 0
    first: tuple[int, list[int], list[int]] | None = field(default=None)


class CheckedDevice:
    """A device whose scores are compared with the host's C; a :class:`scenelet.targets.base.Target` for audio.

    Parameters
    ----------
    device
        Holds the model.
    journal
        Records the device's scores, and supplies those of an earlier run.
    """

    def __init__(self, device: SerialTarget, journal: Journal) -> None:
        self._device, self._journal = device, journal
        self._host = HostTarget(device.content)
        self.name = device.name
        self.counts = Counts()
        self._compared = 0

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """Return the device's scores of audio, (n, clip samples) -> (n, classes), and count the differences."""
        found = [self._journal.take(window) for window in windows]
        missing = [position for position, scores in enumerate(found) if scores is None]
        for position, scores in zip(missing, self._run_on_device(windows[missing]), strict=True):
            found[position] = scores
        result = np.array(found, np.int8)
        self._compare(result, self._host.classify(windows).reshape(result.shape))
        self.counts.known += len(windows) - len(missing)
        return result

    def _run_on_device(self, windows: NDArray[np.int32]) -> Iterator[list[int]]:
        began, resent = time.monotonic(), self._device.resent
        for window, decision in zip(windows, self._device.decisions(windows) if len(windows) else (), strict=True):
            self._journal.add(window, decision.scores)
            self.counts.sent += 1
            yield list(decision.scores)
        self.counts.seconds += time.monotonic() - began
        self.counts.resent += self._device.resent - resent

    def _compare(self, got: NDArray[np.int8], expected: NDArray[np.int8]) -> None:
        for row in np.flatnonzero((got != expected).any(axis=1)):
            self.counts.mismatches += 1
            if self.counts.first is None:
                self.counts.first = (self._compared + int(row), got[row].tolist(), expected[row].tolist())
        self._compared += len(got)

    def silent(self, windows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """See :class:`scenelet.targets.base.Target`."""
        return self._host.silent(windows)

    def hear(self, windows: NDArray[np.int32]) -> Heard:
        """See :class:`scenelet.targets.base.Target`; the host's clip head answers, since journals hold no answers."""
        heard = self._host.hear(windows)
        return Heard(self.classify(windows), heard.silent, heard.clip)

    def run(self, inputs: NDArray[np.generic]) -> NDArray[np.int8]:
        """See :class:`scenelet.targets.base.Target`."""
        return self._device.run(inputs)

    def run_each(self, inputs: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.int8], ...]:
        """See :class:`scenelet.targets.base.Target`."""
        return self._device.run_each(inputs)

    @property
    def stateful(self) -> bool:
        """See :class:`scenelet.targets.base.Target`."""
        return self._device.stateful

    def reset(self) -> None:
        """See :class:`scenelet.targets.base.Target`."""
        self._device.reset()

    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        """See :class:`scenelet.targets.base.Target`."""
        return self._device.tensors(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()


@dataclass(frozen=True)
class DeviceEvaluation:
    """A data set's scores on a device, with the counters of the transfer."""

    evaluation: Evaluation
    counts: Counts
    bytes_per_window: int

    def to_json(self) -> dict[str, Any]:
        """As a dictionary, without the rows."""
        counts, first = self.counts, self.counts.first
        return self.evaluation.to_json() | {
            "mismatches": counts.mismatches,
            "first_mismatch": {"window": first[0], "device": first[1], "host": first[2]} if first else None,
            "windows_sent": counts.sent,
            "windows_known": counts.known,
            "frames_resent": counts.resent,
            "seconds": round(counts.seconds, 3),
            "audio_bytes": counts.sent * self.bytes_per_window,
        }

    def require(self, subject: object) -> None:
        """Raise a ParityError where a window's scores are not the host's."""
        if self.counts.first:
            position, got, expected = self.counts.first
            problem = f"{self.counts.mismatches:,} of {self.evaluation.windows:,} windows differ from the host's"
            first = f"window {position}: device {got}, host {expected}"
            raise ParityError(subject, f"{problem}; {first}", "run `scenelet device selftest`")


def evaluate_device(
    model: Path,
    info: ModelInfo,
    dataset: Dataset,
    split: str,
    port: str,
    journal: Path,
    *,
    seconds: float = 60.0,
    progress: Progress | None = None,
) -> DeviceEvaluation:
    """Classify every window of a split on a device and compare each with the host's result.

    Parameters
    ----------
    port
        See :func:`scenelet.targets.board.open_port`.
    journal
        File of the scores so far; with the same file an interrupted run resumes.
    seconds
        Seconds of silence after which the device counts as dead.
    progress
        Called with (clips done, clips in all).

    Raises
    ------
    ModelError
        The device holds another model or front end; names both hashes.
    ToolError
        The device does not answer, or stops answering.
    InputError
        The journal belongs to another model.
    """
    with SerialTarget(model, port, seconds) as device:
        record = Journal(journal, device.compiled.identity.sha256, device.tables.sha256, len(info.labels))
        with CheckedDevice(device, record) as place:
            result = evaluate(model, info, dataset, split, place, progress=progress, batch=_BATCH)
            config = device.tables.config
            return DeviceEvaluation(result, place.counts, config.clip_samples * config.sample_bits // 8)
