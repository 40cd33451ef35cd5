"""Host side of the protocol: commands, and lossless streaming of windows over a lossy line."""

from __future__ import annotations

import random
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import FrontendConfig
from ...errors import InputError, ToolError
from . import framing
from .framing import Event, Input, Line, Reason, Receiver, Status
from .go_back_n import Sender
from .streams import ByteStream

READY = "m-ready"

# Prefixes of lines without checksum: MLPerf Tiny's responses, and errors, which repeat the command.
_UNCHECKED = ("m-", "e-[")

# Lines of a response may come later than a STATUS: between two lines of `bench`, a step of a large network runs.
_RESPONSE_FACTOR = 5

# The poll interval doubles up to this many times, since each poll costs a slow device time.
_MAX_DOUBLINGS = 3

_DECISION = re.compile(r"decision window=(\d+) label=([^ ]*) scores=(-?\d+(?:,-?\d+)*)")
_CLIP = re.compile(r"clip window=(\d+) label=[^ ]* scores=(-?\d+(?:,-?\d+)*)")
_RULE_LABEL = re.compile(r"heard window=(\d+) label=([^ ]*)")
_SILENT = re.compile(r"silent window=(\d+)")

_REFUSALS: dict[int, tuple[str, str]] = {
    Reason.CLOSED: ("has no session", "do not run another command on the device while it streams"),
    Reason.PROTOCOL: ("speaks another protocol version", "flash the firmware of this scenelet"),
    Reason.MODEL: ("holds another model", "flash the firmware of this model"),
    Reason.FRONTEND: ("holds another front end, or none", "flash the firmware of this model"),
    Reason.INPUT: ("refused the input", "report this as a defect"),
    Reason.SELFTEST: ("failed its self-test", "flash it again; if it fails again, the board is broken"),
    Reason.TYPE: ("refused a frame", "report this as a defect"),
}


@dataclass(frozen=True)
class Decision:
    """The device's decision on one window; ``window`` counts from 0 in its session."""

    window: int
    label: str
    scores: tuple[int, ...]


def fields(line: str) -> dict[str, str]:
    """``key=value`` pairs of a line, with names decoded: on the wire no value holds a space or a ``=``."""
    pairs = (word.partition("=") for word in line.split(" ") if "=" in word)
    return {key: unquote(value) for key, _, value in pairs}


def samples_to_bytes(samples: NDArray[np.int32], bits: int) -> bytes:
    """Encode audio for the wire: little endian, 2 bytes per 16-bit sample, 3 per 24-bit sample.

    Parameters
    ----------
    samples
        Integers of ``bits`` bits, any shape.
    bits
        16 or 24.
    """
    raw = np.ascontiguousarray(samples, dtype="<i4").view(np.uint8).reshape(-1, 4)
    return raw[:, : bits // 8].tobytes()


def audio_contents(windows: NDArray[np.int32], config: FrontendConfig) -> Iterator[bytes]:
    """Encode windows of audio, (n, clip samples), for the wire, one item per window.

    Raises
    ------
    InputError
        Their length is not the front end's clip length.
    """
    if windows.ndim != 2 or windows.shape[1] != config.clip_samples:
        raise InputError("windows", f"have shape {windows.shape}", f"give (n, {config.clip_samples}) samples")
    return (samples_to_bytes(window, config.sample_bits) for window in windows)


def capture_contents(samples: NDArray[np.int32], capture_rate: int, config: FrontendConfig) -> Iterator[bytes]:
    """Encode microphone samples, cut where a live device completes each window; an incomplete window is dropped.

    Parameters
    ----------
    samples
        int32 (n,), 24-bit values.
    capture_rate
        Their sample rate in Hz, a multiple of the front end's.
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
    """Stack the scores of decisions: (n, *shape)."""
    rows = [np.array(decision.scores, np.int8).reshape(shape) for decision in decisions]
    return np.stack(rows) if rows else np.empty((0, *shape), np.int8)


class Device:
    """Client of a device at the other end of a byte stream.

    Parameters
    ----------
    stream
        The line; the caller closes it.
    ask_seconds
        Seconds of silence after which the device is polled.
    give_up_seconds
        Seconds of silence after which it counts as dead.
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
        """STATUS frames that reported a damaged or missing frame, since the device was opened."""
        self.garbled = 0
        """Frames and lines from the device that failed their checksum."""
        self.rule_labels: dict[int, str] = {}
        """Label that the device's rule over windows gave, by window of the session; damaged lines are missing."""
        self.clip_scores: dict[int, tuple[int, ...]] = {}
        """Scores of the model's clip head, by window of the session; silent windows and damaged lines are missing."""
        self.silent_windows: set[int] = set()
        """Windows of the session that the device calls silent; damaged lines are missing."""

    def event(self, seconds: float) -> Event | None:
        """Next event, or None if none comes within ``seconds``."""
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

    def _dead(self, expected: str) -> ToolError:
        seconds = f"{self._give_up_seconds:g}"
        return ToolError("device", f"gave no {expected} in {seconds} s", "reset it and check the port and its speed")

    def wait_ready(self) -> list[str]:
        """Read the lines up to ``m-ready``, such as those of the boot.

        Raises
        ------
        ToolError
            The device does not respond.
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

    def ask(self, line: str) -> None:
        """Send a text command, once; what comes of it are events."""
        self._stream.write(f"\0{line}\n".encode())

    def command(self, line: str) -> list[str]:
        """Send a text command, repeated until its response arrives intact.

        Returns
        -------
        list of str
            The lines of the response that begin with the command's name.

        Raises
        ------
        ToolError
            The device does not respond, or does not know the command.
        """
        end = time.monotonic() + self._give_up_seconds
        while time.monotonic() < end:
            self.ask(line)
            lines = self._response()
            error = next((text for text in lines if text.endswith(f": {line}]")), None)
            if error:
                raise ToolError("device", f"responds {error}", "flash the firmware of this scenelet")
            own = [text for text in lines if text.startswith(f"{line.removesuffix('s')} ")]
            if own:
                return own
        raise self._dead(f"response to {line}")

    def _response(self) -> list[str]:
        """Lines up to ``m-ready``; none if one of them was damaged or missing."""
        lines: list[str] = []
        intact = True
        while event := self.event(_RESPONSE_FACTOR * self._ask_seconds):
            if isinstance(event, Line):
                if event.text == READY:
                    return lines if intact else []
                lines.append(event.text)
                intact = intact and (event.checked or event.text.startswith(_UNCHECKED))
            intact = intact and not isinstance(event, framing.Garbage)
        return []

    def decide_by(self, command: str) -> str:
        """Send a ``decide`` command, which sets the rule over windows; return the device's response.

        Raises
        ------
        ToolError
            The device does not respond, or refuses the rule.
        """
        end = time.monotonic() + self._give_up_seconds
        while time.monotonic() < end:
            self.ask(command)
            for text in self._response():
                if text.startswith("e-[") and text.endswith(f": {command}]"):
                    raise ToolError("device", f"responds {text}", "flash the firmware of this scenelet")
                if text.startswith("decide "):
                    return text
        raise self._dead("response to decide")

    def info(self) -> dict[str, str]:
        """Fields of the device's ``info`` line: model, front end, memory, clock."""
        return fields(self.command("info")[0])

    def health(self) -> dict[str, str]:
        """Fields of the device's ``health`` line: checks and errors since its start, and the last crash."""
        return fields(self.command("health")[0])

    def labels(self) -> list[str]:
        """Class names of the device's model, in the order of the scores."""
        return [fields(line)["name"] for line in self.command("labels")]

    def selftest(self) -> str:
        """Result of the self-test: "pass", "none", or "fail: ..."."""
        return self.command("selftest")[0].removeprefix("selftest ")

    def bench(self) -> list[dict[str, str]]:
        """Fields of the ``bench`` lines: each step's ``op``, ``macs``, ``cycles`` and ``name``."""
        return [fields(line) for line in self.command("bench") if line.startswith("bench step=")]

    def features(self) -> NDArray[np.int8]:
        """INT8 input of the network in the device's last decision or self-test, flat.

        Raises
        ------
        ToolError
            There was none, or newer audio has overwritten it.
        """
        rows = [fields(line) for line in self.command("features")]
        return np.frombuffer(b"".join(bytes.fromhex(row["values"]) for row in rows), np.int8)

    def checksums(self) -> list[dict[str, str]]:
        """Fields of the ``checksum`` lines: each tensor's ``step``, ``tensor``, ``bytes``, ``crc32`` and ``name``.

        The device runs the network on its :meth:`features` again.

        Raises
        ------
        ToolError
            See :meth:`features`.
        """
        return [fields(line) for line in self.command("checksums")]

    def open_session(self, kind: Input, model_sha256: str, frontend_sha256: str | None) -> Status:
        """Open a session for streaming.

        Parameters
        ----------
        kind
            Content of the DATA frames.
        model_sha256, frontend_sha256
            Hashes that the device must hold; tensors need no front end.

        Raises
        ------
        ToolError
            The device refuses, with its reason, or does not respond.
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
        raise self._dead("response to START")

    def decide(
        self, windows: Iterable[bytes], kind: Input, model_sha256: str, frontend_sha256: str | None
    ) -> Iterator[Decision]:
        """Stream windows; yield one decision per window, in order.

        Parameters
        ----------
        windows
            One item per window: samples (see :func:`samples_to_bytes`) or an INT8 tensor. Consumed as the device has
            room.
        kind
            Content of the items.
        model_sha256, frontend_sha256
            Hashes that the device must hold; tensors need no front end.

        Raises
        ------
        ToolError
            The device refuses, ends the session, or stops responding.
        """
        self.rule_labels.clear()
        self.silent_windows.clear()
        self.clip_scores.clear()
        status = self.open_session(kind, model_sha256, frontend_sha256)
        sender = Sender(iter(windows), status)
        last_progress = time.monotonic()
        unanswered = 0
        while not sender.finished:
            before = sender.repeated
            frames = b"".join(sender.frames())
            if frames:
                self._stream.write(frames)
            self.resent += sender.repeated - before
            event = self.event(self._ask_seconds * 2 ** min(unanswered, _MAX_DOUBLINGS))
            if event is None:
                if time.monotonic() - last_progress > self._give_up_seconds:
                    raise self._dead("decision")
                self._stream.write(self._poll(sender))
                unanswered += 1
                continue
            unanswered = 0
            if isinstance(event, Status) and event.session == status.session:
                require_open(event)
                last_progress = time.monotonic() if sender.on_status(event) else last_progress
            self.record_remarks(event)
            decision = decision_in(event)
            if decision and sender.on_decision(decision.window):
                last_progress = time.monotonic()
                yield decision

    def record_remarks(self, event: Event) -> None:
        """Record the lines that come before a decision: the rule's label, the clip head's scores, and silence."""
        text = event.text if isinstance(event, Line) and event.checked else ""
        if match := _RULE_LABEL.fullmatch(text):
            self.rule_labels[int(match[1])] = unquote(match[2])
        if match := _SILENT.fullmatch(text):
            self.silent_windows.add(int(match[1]))
        if match := _CLIP.fullmatch(text):
            self.clip_scores[int(match[1])] = tuple(int(score) for score in match[2].split(","))

    def _poll(self, sender: Sender) -> bytes:
        """What to send after silence: a request to repeat the last decision, or a POLL."""
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


def decision_in(event: Event) -> Decision | None:
    """Decision that an event holds; None for any other event."""
    match = _DECISION.fullmatch(event.text) if isinstance(event, Line) and event.checked else None
    if not match:
        return None
    return Decision(int(match[1]), unquote(match[2]), tuple(int(score) for score in match[3].split(",")))
