"""What a device says while it listens to its own microphone (docs/PROTOCOL.md)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import ToolError
from . import framing
from .client import Device, decision_in, fields

_SILENT, _QUIET, _GAP = (re.compile(rf"{word} window=(\d+)(?: .*)?") for word in ("silent", "quiet", "gap"))
_RESTARTED = "scenelet version="
_FAULT = "e-fault "
_ASK_SECONDS = 3.0
_TICK_SECONDS = 0.2


@dataclass(frozen=True)
class LiveWindow:
    """One window of a device's microphone.

    Attributes
    ----------
    window
        Its number since listening began.
    label, scores
        Class with the highest score, and the INT8 scores; "" and none where the network did not run.
    heard
        Label that the device's rule gave; None without a rule, and where the rule did not take the window.
    silent, quiet
        Whether it is below the model's level of silence, or below the gate.
    """

    window: int
    label: str = ""
    scores: tuple[int, ...] = ()
    heard: str | None = None
    silent: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Told:
    """What a device has told: a window, its ``info``, or a remark; nothing of all that where time has passed."""

    window: LiveWindow | None = None
    info: dict[str, str] | None = None
    remark: str = ""


def overhear(device: Device, seconds: float, subject: object) -> Iterator[Told]:
    """Have a device listen to its microphone, and yield what it tells, without end.

    It is asked for its ``info`` every few seconds, which also shows that it is alive. Something is yielded five times
    a second at least.

    Parameters
    ----------
    seconds
        Seconds of silence after which the device counts as dead.
    subject
        Name of the device in errors.

    Raises
    ------
    ToolError
        The device has no microphone that its model can hear, stops answering, or has restarted.
    """
    device.command("listen on")
    heard_at = asked_at = time.monotonic()
    while True:
        event = device.event(_TICK_SECONDS)
        now = time.monotonic()
        if event is not None:
            heard_at = now
        elif now - heard_at > seconds:
            raise ToolError(subject, f"says nothing for {seconds:g} s", "check its cable, and reset it")
        if now - asked_at > _ASK_SECONDS:
            asked_at = now
            device.ask("info")
        yield _told(device, event, subject)


def hush(device: Device) -> None:
    """Have a device stop listening; the answer is not waited for."""
    device.ask("listen off")


def _told(device: Device, event: framing.Event | None, subject: object) -> Told:
    if event is None:
        return Told()
    device.record_remarks(event)
    if decision := decision_in(event):
        heard = device.rule_labels.pop(decision.window, None)
        return Told(LiveWindow(decision.window, decision.label, decision.scores, heard))
    text = event.text if isinstance(event, framing.Line) and (event.checked or event.text.startswith("e-")) else ""
    if text.startswith((_RESTARTED, _FAULT)):
        cause = fields(text).get("cause")
        problem = f"crashed: {cause}" if cause else "has restarted"
        raise ToolError(subject, problem, "ask it why: scenelet device info; then listen again")
    if text.startswith("info "):
        return Told(info=fields(text))
    if match := _SILENT.fullmatch(text):
        number = int(match[1])
        device.silent_windows.discard(number)
        return Told(LiveWindow(number, silent=True))
    if match := _QUIET.fullmatch(text):
        return Told(LiveWindow(int(match[1]), quiet=True))
    if _GAP.fullmatch(text) or text.startswith("e-["):
        return Told(remark=text)
    return Told()
