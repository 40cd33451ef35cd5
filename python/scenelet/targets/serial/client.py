"""The host's side of the protocol: commands, and windows streamed without loss over a line that loses bytes."""

from __future__ import annotations

import random
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import FrontendConfig
from ...errors import InputError, ToolError
from . import framing
from .framing import Event, Input, Line, Reason, Receiver, Status
from .go_back_n import Sender
from .streams import ByteStream

READY = "m-ready"

# What carries no checksum: MLPerf Tiny's answers, and complaints, which repeat the command.
_PLAIN = ("m-", "e-[")

# A command's answer may pause longer than a STATUS: a step of a large network lies between two lines of `bench`.
_ANSWER_FACTOR = 5

# A slow device is asked less and less often: each question takes it time, too.
_MOST_DOUBLINGS = 3

_DECISION = re.compile(r"decision window=(\d+) label=(.*) scores=(-?\d+(?:,-?\d+)*)")

_RULE_LABEL = re.compile(r"heard window=(\d+) label=(.*)")

_REFUSALS: dict[int, tuple[str, str]] = {
    Reason.CLOSED: ("has no session", "do not run another command on the device while it streams"),
    Reason.PROTOCOL: ("speaks another protocol version", "flash the firmware of this scenelet"),
    Reason.MODEL: ("holds another model", "flash the firmware of this model"),
    Reason.FRONTEND: ("holds another front end, or none", "flash the firmware of this model"),
    Reason.INPUT: ("refused what it was sent", "report this as a defect"),
    Reason.SELFTEST: ("failed its self-test", "flash it again; if it fails again, the board is broken"),
    Reason.TYPE: ("refused a frame", "report this as a defect"),
}


@dataclass(frozen=True)
class Decision:
    """What the device decided about one window; ``window`` counts from 0 in its session."""

    window: int
    label: str
    scores: tuple[int, ...]


def fields(line: str) -> dict[str, str]:
    """``key=value`` pairs of a line; the last value may hold spaces."""
    return dict(re.findall(r"(\w+)=((?:[^ ]| (?!\w+=))*)", line))


def samples_to_bytes(samples: NDArray[np.int32], bits: int) -> bytes:
    """Audio as the wire carries it: little endian, 2 bytes a sample of 16 bits, 3 of 24.

    Parameters
    ----------
    samples
        Integers of ``bits`` bits, any shape.
    """
    raw = np.ascontiguousarray(samples, dtype="<i4").view(np.uint8).reshape(-1, 4)
    return raw[:, : bits // 8].tobytes()


def audio_contents(windows: NDArray[np.int32], config: FrontendConfig) -> Iterator[bytes]:
    """Windows of audio, (n, clip samples), as the wire carries them.

    Raises
    ------
    InputError
        They do not have the length that the front end hears.
    """
    if windows.ndim != 2 or windows.shape[1] != config.clip_samples:
        raise InputError("windows", f"have shape {windows.shape}", f"give (n, {config.clip_samples}) samples")
    return (samples_to_bytes(window, config.sample_bits) for window in windows)


def capture_contents(samples: NDArray[np.int32], capture_rate: int, config: FrontendConfig) -> Iterator[bytes]:
    """What a microphone gives, cut where a live device has heard a window more; a rest that completes none is dropped.

    Parameters
    ----------
    samples
        int32 (n,) of 24 bits at ``capture_rate`` Hz.
    """
    factor = capture_rate // config.sample_rate
    first = step = config.clip_samples * factor
    if config.grid == "continuous":
        first = (config.n_fft + (config.frames - 1) * config.hop_length) * factor
        step = config.live_columns * config.hop_length * factor
    start, end = 0, first
    while end <= samples.size:
        yield samples_to_bytes(samples[start:end], 24)
        start, end = end, end + step


def scores_of(decisions: Iterable[Decision], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Scores of decisions: (n, *shape)."""
    rows = [np.array(decision.scores, np.int8).reshape(shape) for decision in decisions]
    return np.stack(rows) if rows else np.empty((0, *shape), np.int8)


class Device:
    """A device on the other end of a byte stream.

    Parameters
    ----------
    stream
        Closed by the caller.
    ask_seconds
        Silence after which the device is asked what it has.
    give_up_seconds
        Silence after which it is taken for dead.
    """

    def __init__(self, stream: ByteStream, *, ask_seconds: float = 1.0, give_up_seconds: float = 60.0) -> None:
        self._stream = stream
        self._receiver = Receiver()
        self._waiting: deque[Event] = deque()
        self._ask_seconds = ask_seconds
        self._give_up_seconds = give_up_seconds
        self._polls = 0
        self.resent = 0
        """Frames sent more than once, since the device was opened."""
        self.complaints = 0
        """STATUS frames that told of a frame damaged or missing, since the device was opened."""
        self.garbled = 0
        """Frames and lines of the device that failed their check."""
        self.rule_labels: dict[int, str] = {}
        """What the device's own rule said, by window of the session; a damaged line is missing."""

    def event(self, seconds: float) -> Event | None:
        """Next event, or None where none comes within ``seconds``."""
        end = time.monotonic() + seconds
        while not self._waiting:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._waiting.extend(self._receiver.push(self._stream.read(left)))
        event = self._waiting.popleft()
        self.garbled += isinstance(event, framing.Garbage)
        self.complaints += isinstance(event, Status) and event.reason in (Reason.CORRUPT, Reason.SEQUENCE)
        return event

    def _dead(self, waited_for: str) -> ToolError:
        seconds = f"{self._give_up_seconds:g}"
        return ToolError("device", f"gave no {waited_for} in {seconds} s", "reset it and check the port and its speed")

    def wait_ready(self) -> list[str]:
        """Lines up to ``m-ready``, such as those of the boot.

        Raises
        ------
        ToolError
            The device stays silent.
        """
        lines: list[str] = []
        end = time.monotonic() + self._give_up_seconds
        while time.monotonic() < end:
            event = self.event(self._ask_seconds)
            if isinstance(event, Line):
                if event.text == READY:
                    return lines
                lines.append(event.text)
        raise self._dead(READY)

    def command(self, line: str) -> list[str]:
        """Lines that answer a text command, each beginning with the command's own name; asked again until whole.

        Raises
        ------
        ToolError
            The device does not answer, or does not know the command.
        """
        end = time.monotonic() + self._give_up_seconds
        while time.monotonic() < end:
            self._stream.write(f"\0{line}\n".encode())
            lines = self._answer()
            complaint = next((text for text in lines if text.endswith(f": {line}]")), None)
            if complaint:
                raise ToolError("device", f"says {complaint}", "flash the firmware of this scenelet")
            own = [text for text in lines if text.startswith(f"{line.removesuffix('s')} ")]
            if own:
                return own
        raise self._dead(f"answer to {line}")

    def _answer(self) -> list[str]:
        """Lines up to ``m-ready``; none where one of them was damaged or missing."""
        lines: list[str] = []
        whole = True
        while event := self.event(_ANSWER_FACTOR * self._ask_seconds):
            if isinstance(event, Line):
                if event.text == READY:
                    return lines if whole else []
                lines.append(event.text)
                whole = whole and (event.checked or event.text.startswith(_PLAIN))
            whole = whole and not isinstance(event, framing.Garbage)
        return []

    def decide_by(self, command: str) -> str:
        """Send a ``decide`` command; gives the device's answer.

        Raises
        ------
        ToolError
            The device does not answer, or refuses the rule.
        """
        end = time.monotonic() + self._give_up_seconds
        while time.monotonic() < end:
            self._stream.write(f"\0{command}\n".encode())
            for text in self._answer():
                if text.startswith("e-[") and text.endswith(f": {command}]"):
                    raise ToolError("device", f"says {text}", "flash the firmware of this scenelet")
                if text.startswith("decide "):
                    return text
        raise self._dead("answer to decide")

    def info(self) -> dict[str, str]:
        """What the device holds: the fields of its ``info`` line."""
        return fields(self.command("info")[0])

    def labels(self) -> list[str]:
        """The classes that the device names, in the order of the scores."""
        return [line.partition(" name=")[2] for line in self.command("labels")]

    def selftest(self) -> str:
        """Result of the self-test: "pass", "none", or "fail: ..."."""
        return self.command("selftest")[0].removeprefix("selftest ")

    def bench(self) -> list[dict[str, str]]:
        """Fields of the ``bench`` lines: each step's ``op``, ``macs``, ``cycles`` and ``name``."""
        return [fields(line) for line in self.command("bench") if line.startswith("bench step=")]

    def features(self) -> NDArray[np.int8]:
        """The network's input in the device's last decision or test, flat.

        Raises
        ------
        ToolError
            There was none, or more audio has been put over it.
        """
        rows = [fields(line) for line in self.command("features")]
        return np.frombuffer(b"".join(bytes.fromhex(row["values"]) for row in rows), np.int8)

    def checksums(self) -> list[dict[str, str]]:
        """Fields of the ``checksum`` lines: each tensor's ``step``, ``tensor``, ``bytes``, ``crc32`` and ``name``.

        The device runs the network on its :meth:`features` once more.

        Raises
        ------
        ToolError
            See :meth:`features`.
        """
        return [fields(line) for line in self.command("checksums")]

    def open_session(self, kind: Input, model_sha256: str, frontend_sha256: str | None) -> Status:
        """Begin to stream.

        Raises
        ------
        ToolError
            The device refuses, and why; or it does not answer.
        """
        session = random.randrange(1, 256)
        end = time.monotonic() + self._give_up_seconds
        while time.monotonic() < end:
            self._stream.write(framing.start(session, kind, model_sha256, frontend_sha256))
            event: Event | None = Line("", checked=False)
            while event is not None:
                event = self.event(self._ask_seconds)
                if isinstance(event, Status) and event.session == session and event.next == 0:
                    require_open(event)
                    return event
        raise self._dead("answer to START")

    def decide(
        self, windows: Iterable[bytes], kind: Input, model_sha256: str, frontend_sha256: str | None
    ) -> Iterator[Decision]:
        """Stream windows; yield one decision each, in order.

        Parameters
        ----------
        windows
            Each whole: samples (see :func:`samples_to_bytes`), or an INT8 tensor. Taken as the device has room.
        kind
            Which of the two.
        model_sha256, frontend_sha256
            What the device must hold.

        Raises
        ------
        ToolError
            The device refuses, ends the session, or stays silent.
        """
        self.rule_labels.clear()
        status = self.open_session(kind, model_sha256, frontend_sha256)
        sender = Sender(iter(windows), status)
        quiet_since = time.monotonic()
        unanswered = 0
        while not sender.finished:
            before = sender.repeated
            frames = b"".join(sender.frames())
            if frames:
                self._stream.write(frames)
            self.resent += sender.repeated - before
            event = self.event(self._ask_seconds * 2 ** min(unanswered, _MOST_DOUBLINGS))
            if event is None:
                if time.monotonic() - quiet_since > self._give_up_seconds:
                    raise self._dead("decision")
                self._stream.write(self._question(sender))
                unanswered += 1
                continue
            unanswered = 0
            if isinstance(event, Status) and event.session == status.session:
                require_open(event)
                quiet_since = time.monotonic() if sender.on_status(event) else quiet_since
            self._record_rule_label(event)
            decision = _decision(event)
            if decision and sender.on_decision(decision.window):
                quiet_since = time.monotonic()
                yield decision

    def _record_rule_label(self, event: Event) -> None:
        match = _RULE_LABEL.fullmatch(event.text) if isinstance(event, Line) and event.checked else None
        if match:
            self.rule_labels[int(match[1])] = match[2]

    def _question(self, sender: Sender) -> bytes:
        if sender.awaits_decision:
            return b"\0last\n"
        self._polls = self._polls % 255 + 1
        sender.on_poll(self._polls)
        return framing.poll(self._polls)


def require_open(status: Status) -> None:
    """Raise unless a STATUS leaves the session open."""
    if status.reason >= Reason.CLOSED:
        unknown = (f"ended the session with reason {status.reason}", "flash the firmware of this scenelet")
        problem, remedy = _REFUSALS.get(status.reason, unknown)
        raise ToolError("device", problem, remedy)


def _decision(event: Event) -> Decision | None:
    match = _DECISION.fullmatch(event.text) if isinstance(event, Line) and event.checked else None
    if not match:
        return None
    return Decision(int(match[1]), match[2], tuple(int(score) for score in match[3].split(",")))
