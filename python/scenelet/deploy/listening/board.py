"""Boards on a serial port, real or emulated: files streamed to them, and what their own microphone hears."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...errors import SceneletError
from ...evaluation.decision import Rule
from ...targets.serial.client import Device
from ...targets.serial.live import LiveWindow, hush, overhear
from ...targets.serial.streams import ByteStream
from ..listen import AudioFormat, WindowDecision, listen_to_windows
from .chain import describe, shown_rule
from .columns import Columns
from .events import About, Heard, Load
from .files import played
from .model import Known
from .pace import Pace

_AHEAD = 2
"""Windows that a board has decided on and that have not played yet, at most."""
_TICK_SECONDS = 0.2
_JOIN_SECONDS = 5.0

Answer = tuple[NDArray[np.int32], WindowDecision]


class _Left(Exception):
    """Nobody listens any more."""


class LeavableStream:
    """A byte stream that another thread uses, and that is left in a moment.

    Parameters
    ----------
    stream
        The line; who opened it closes it.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._left = threading.Event()

    def leave(self) -> None:
        """Have every read and write raise from now on."""
        self._left.set()

    def read(self, seconds: float) -> bytes:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        self._check()
        return self._stream.read(min(seconds, _TICK_SECONDS))

    def write(self, content: bytes) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        self._check()
        self._stream.write(content)

    def close(self) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        self._stream.close()

    def _check(self) -> None:
        if self._left.is_set():
            raise _Left


class _Streaming:
    """A thread that streams files to a device, a few windows ahead of what plays."""

    def __init__(self, device: Device, line: LeavableStream, files: Iterable[Path], subject: str) -> None:
        self._line = line
        self._answers: queue.Queue[Answer | BaseException | None] = queue.Queue(_AHEAD)
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(device, files, subject), daemon=True)
        self._thread.start()

    def _run(self, device: Device, files: Iterable[Path], subject: str) -> None:
        try:
            for answer in listen_to_windows(device, files, subject):
                self._put(answer)
            self._put(None)
        except _Left:
            return
        except BaseException as error:  # raised where the user sees it
            with suppress(_Left):
                self._put(error)

    def _put(self, answer: Answer | BaseException | None) -> None:
        while not self._gone.is_set():
            with suppress(queue.Full):
                self._answers.put(answer, timeout=_TICK_SECONDS)
                return
        raise _Left

    def answers(self) -> Iterator[Answer | None]:
        """Windows with their decisions; None where there is none yet."""
        while True:
            try:
                answer = self._answers.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                yield None
                continue
            if answer is None:
                return
            if isinstance(answer, BaseException):
                raise answer
            yield answer

    def leave(self) -> None:
        """End the thread."""
        self._gone.set()
        self._line.leave()
        self._thread.join(_JOIN_SECONDS)


class StreamSource:
    """Files that a board decides on, one window after the other, as ``scenelet device stream`` has it.

    Parameters
    ----------
    line
        Open line of a device that has booted; who opened it closes it after this source.
    where
        Name of the board for people, and of its port in errors.
    known
        The model that the board holds, for the spectrogram; or why it is not known.
    load
        Figures of the device.
    """

    def __init__(
        self,
        line: ByteStream,
        where: str,
        files: Iterable[Path],
        known: Known,
        rule: Rule | None,
        load: tuple[Load, ...],
        *,
        fast: bool,
        seconds: float,
    ) -> None:
        self._line = LeavableStream(line)
        self._device = Device(self._line, give_up_seconds=seconds)
        self._where, self._files, self._load, self._pace = where, files, load, Pace(fast)
        self._device.decide_by(rule.command if rule else "decide off")
        self._form = AudioFormat.of(self._device.info(), where)
        self._columns = Columns(known.tables) if known.tables else None
        speed = "as fast as it takes them" if fast else "in real time"
        self.about = _about(f"files {speed}, streamed to {where}, which decides", known, self._form, rule, self._device)
        self._streaming: _Streaming | None = None

    def events(self) -> Iterator[Heard]:
        """See :class:`.events.Source`."""
        self._streaming = _Streaming(self._device, self._line, self._files, self._where)
        rate, loads = self._form.rate, self._load
        length = self._form.window_samples / rate
        name, place = "", 0.0
        for answer in self._streaming.answers():
            if answer is None:
                yield Heard(name, place)
                continue
            window, decision = answer
            name, start = decision.file, decision.window * length
            if self._columns:
                self._columns.begin()
            push = self._columns.push if self._columns else None
            yield from played(window, name, start, rate, push, self._pace)
            place = start + length
            yield Heard(name, place, decision=decision, loads=loads)
            loads = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._streaming:
            self._streaming.leave()


class OwnMicrophoneSource:
    """What a board's microphone hears: the board tells its decisions, its samples stay on it.

    Parameters
    ----------
    device
        A board on an open port; who opened it closes it after this source.
    where
        Name of the board for people, and of its port in errors.
    seconds
        Seconds of silence after which the device counts as dead.
    """

    def __init__(self, device: Device, where: str, known: Known, rule: Rule | None, *, seconds: float) -> None:
        self._device, self._where, self._seconds = device, where, seconds
        device.decide_by(rule.command if rule else "decide off")
        form = AudioFormat.of(device.info(), where)
        stays = Known(known.info, None, "none: the samples of its microphone stay on the board")
        self.about = _about(f"the microphone of {where}, which decides", stays, form, rule, device)

    def events(self) -> Iterator[Heard]:
        """See :class:`.events.Source`."""
        began = time.monotonic()
        for told in overhear(self._device, self._seconds, self._where):
            passed = time.monotonic() - began
            loads = (awake(told.info),) if told.info else ()
            decision = None if told.window is None else _live_decision(told.window)
            yield Heard("microphone", passed, decision=decision, loads=loads, remark=told.remark)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(SceneletError):  # a board that is gone needs no silence
            hush(self._device)


def _live_decision(window: LiveWindow) -> WindowDecision:
    heard = "quiet" if window.quiet else window.heard
    return WindowDecision("microphone", window.window, window.label, window.scores, heard, window.silent)


def awake(info: dict[str, str]) -> Load:
    """Load of a board's processor by its ``info``: the share of the time in which it did not sleep."""
    share = 1 - int(info.get("asleep_permille", 0)) / 1000
    measured = "time awake since listening began"
    if info.get("clock") == "emulated":
        return Load(share, "the emulated processor", "emulated", f"{measured}, in emulated time: no latency")
    return Load(share, f"{info.get('board', 'the board')}'s processor", "measured", f"{measured}, by its own clock")


def _about(source: str, known: Known, form: AudioFormat, rule: Rule | None, device: Device) -> About:
    if known.info and known.tables:
        return describe(known.info, known.name, source, known.spectrogram, rule)
    held = device.info()
    labels = tuple(device.labels())
    seconds = form.window_samples / form.rate
    return About(
        *(source, held.get("model", known.name), labels, form.rate, form.bits, seconds, 0.0, ()),
        known.spectrogram, shown_rule(rule),
    )  # fmt: skip
