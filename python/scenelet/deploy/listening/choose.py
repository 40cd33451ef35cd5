"""The source that a user asks for, made ready."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...core.notes import note, tell
from ...errors import InputError, ToolError
from ...evaluation.decision import Rule
from ...evaluation.evaluate import model_info
from ...targets.board import open_port
from ...targets.emulator.serial_port import SerialBoard
from ...targets.qemu import QemuTarget
from ...targets.serial.client import Device
from ...tflite import metadata
from ..listen import AudioFormat
from ..project import DEFAULT_MODEL
from . import load
from .board import OwnMicrophoneSource, StreamSource
from .chain import Chain
from .events import Source
from .files import FileSource, require_files
from .microphone import MicrophoneSource, sounddevice
from .model import known_model

_OTHERS = "give FILE, --port of a board, or --qemu with FILE"


@dataclass(frozen=True)
class Choice:
    """What a user asks for.

    Attributes
    ----------
    model
        An INT8 .tflite; None for the shipped one.
    files
        Audio files to play.
    port, qemu
        Port of a board that decides, or the emulated board; without either, this computer decides.
    microphone
        Name or number of this computer's microphone; None for the default one.
    rule
        Rule over windows.
    fast, repeat
        Play files as fast as possible; play them again and again.
    seconds
        Seconds of silence after which a device counts as dead.
    """

    model: Path | None = None
    files: tuple[Path, ...] = ()
    port: str | None = None
    qemu: bool = False
    microphone: str | None = None
    rule: Rule | None = None
    fast: bool = False
    repeat: bool = False
    seconds: float = 10.0

    def require(self) -> None:
        """Check that the parts fit each other.

        Raises
        ------
        InputError
            They do not, or a file is missing.
        """
        if self.port and self.qemu:
            raise InputError("--port and --qemu", "exclude each other", "give one of them")
        if self.microphone is not None and (self.port or self.qemu or self.files):
            raise InputError("--microphone", "is this computer's, beside another source", "give one source")
        if self.qemu and not self.files:
            raise InputError("--qemu", "the emulated board has no microphone", "name FILES, which it is sent")
        for option, given in (("--fast", self.fast), ("--repeat", self.repeat)):
            if given and not self.files:
                raise InputError(option, "is for files", f"name FILES, or leave {option} out")
        require_files(self.files)

    def played(self) -> Iterable[Path]:
        """Files in the order in which they play."""
        return itertools.cycle(self.files) if self.repeat else self.files


@contextmanager
def opened(choice: Choice) -> Iterator[Source]:
    """Make a source ready; on leaving, emulator, port and microphone are released.

    Raises
    ------
    SceneletError
        The choice is impossible, the model cannot be used, or a tool, a microphone or a device is missing.
    """
    choice.require()
    model = choice.model or DEFAULT_MODEL
    if choice.port:
        with _on_port(choice, choice.port, model) as source:
            yield source
    elif choice.qemu:
        with _emulated(choice, model) as source:
            yield source
    else:
        with _here(choice, model) as source:
            yield source


def _here(choice: Choice, model: Path) -> Source:
    if not choice.files:
        _require_microphone(named=choice.microphone is not None)
    tell(f"compile {model.name} for this computer")
    chain = Chain(model, choice.rule, live=not choice.files)
    needed = load.predicted(model, chain.config)
    if choice.files:
        return FileSource(choice.played(), chain, needed, fast=choice.fast)
    return MicrophoneSource(chain, needed, choice.microphone)


def _require_microphone(*, named: bool) -> None:
    """Say what was chosen where nothing was; an error says what else there is."""
    try:
        sounddevice()
    except ToolError as error:
        raise error if named else ToolError(error.subject, error.problem, f"{error.remedy}; or {_OTHERS}") from None
    if not named:
        note("no source was named", f"this computer's microphone is heard; for another, {_OTHERS}")


@contextmanager
def _emulated(choice: Choice, model: Path) -> Iterator[Source]:
    with QemuTarget(model) as target:
        model_info(metadata.read(target.content, model), model)
        tell(f"build the product with {model.name}")
        elf, config = target.product_elf, target.tables.config
    figures = load.emulated(elf, config)
    tell("boot the product in QEMU")
    with SerialBoard(elf) as line:
        device = Device(line)
        device.wait_ready()
        held = device.info()
        known = known_model(held, model, chosen=True)
        where = f"QEMU ({held.get('board', 'emulated board')})"
        with StreamSource(
            *(line, where, choice.played(), known, choice.rule, figures), fast=choice.fast, seconds=choice.seconds
        ) as source:
            yield source


@contextmanager
def _on_port(choice: Choice, port: str, model: Path) -> Iterator[Source]:
    line = open_port(port)
    try:
        device = Device(line, give_up_seconds=choice.seconds)
        held = device.info()
        form = AudioFormat.of(held, port)
        known = known_model(held, model, chosen=choice.model is not None)
        where = f"{held.get('board', 'a board')} at {port}"
        if choice.files:
            figures = load.measured(device, form.rate, form.window_samples)
            with StreamSource(
                *(line, where, choice.played(), known, choice.rule, figures), fast=choice.fast, seconds=choice.seconds
            ) as source:
                yield source
            return
        if held.get("microphone", "none") == "none":
            raise InputError(port, "the board has no microphone", "name FILES, which it is sent")
        with OwnMicrophoneSource(device, where, known, choice.rule, seconds=choice.seconds) as source:
            yield source
    finally:
        line.close()
