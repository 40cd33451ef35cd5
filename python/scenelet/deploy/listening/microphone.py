"""The microphone of this computer, by sounddevice and PortAudio."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...core import extras, toolchain
from ...errors import InputError, ToolError
from ...frontend.capture import Intake
from .chain import Chain
from .events import Heard, Load

NAME = "microphone"
_BLOCKS = 64
"""Blocks that wait at most; more are lost, as on a device."""
_BLOCK_SECONDS = 0.05
_TICK_SECONDS = 0.2
_DEAD_SECONDS = 5.0


def sounddevice() -> Any:
    """Import sounddevice.

    Raises
    ------
    ToolError
        It is not installed, or PortAudio is not.
    """
    try:
        import sounddevice as module
    except ImportError:
        raise extras.missing("sounddevice", "listen") from None
    except OSError:  # sounddevice looks for PortAudio when it is imported
        remedy = f"install it (Debian: {toolchain.debian_command(toolchain.DEBIAN['portaudio'])})"
        raise ToolError("PortAudio", "is not installed", remedy) from None
    return module


class MicrophoneSource:
    """What this computer's microphone hears, decided on by this computer as a board decides on its own.

    Parameters
    ----------
    chain
        A live one.
    load
        What a board would need, from a model.
    device
        Name, part of a name, or number of PortAudio's input device; None for the default one.

    Raises
    ------
    ToolError
        sounddevice or PortAudio is missing, or there is no such microphone.
    """

    def __init__(self, chain: Chain, load: tuple[Load, ...], device: str | None = None) -> None:
        self._module = sounddevice()
        self._chain, self._load = chain, load
        self._blocks: queue.Queue[NDArray[np.float32]] = queue.Queue(_BLOCKS)
        self._lost = 0
        chosen = int(device) if device is not None and device.isdecimal() else device
        try:
            described = self._module.query_devices(chosen, "input")
            rate = self._rate(chosen, described)
            self._stream = self._module.InputStream(
                samplerate=rate,
                blocksize=round(rate * _BLOCK_SECONDS),
                device=chosen,
                channels=1,
                dtype="float32",
                callback=self._take,
            )
        except (self._module.PortAudioError, ValueError) as error:
            raise self._unusable(device, error) from None
        self._intake = Intake(rate, chain.config)
        self.about = chain.about(f"microphone '{described['name']}' at {rate:,} Hz; this computer decides")

    def _unusable(self, device: str | None, error: Exception) -> InputError | ToolError:
        known = [one["name"] for one in self._module.query_devices() if one["max_input_channels"]]
        if device is not None:
            remedy = f"choose one of: {', '.join(known)}" if known else "connect one"
            return InputError(f"microphone '{device}'", f"cannot be used: {error}", remedy)
        return ToolError(
            NAME, f"there is none that can be used: {error}", "connect one; or give FILE, or --port of a board"
        )

    def _rate(self, device: int | str | None, described: Any) -> int:
        """The front end's own rate where the microphone has it, else its default one, to be resampled."""
        config = self._chain.config
        wanted = config.capture_rate or config.sample_rate
        try:
            self._module.check_input_settings(device=device, channels=1, dtype="float32", samplerate=wanted)
        except self._module.PortAudioError:
            return int(described["default_samplerate"])
        return int(wanted)

    def _take(self, block: NDArray[np.float32], _frames: int, _time: Any, status: Any) -> None:
        """Keep a block; PortAudio calls this from a thread of its own."""
        self._lost += bool(status.input_overflow)
        try:
            self._blocks.put_nowait(block.copy())
        except queue.Full:
            self._lost += 1

    def events(self) -> Iterator[Heard]:
        """See :class:`.events.Source`; no window spans lost samples."""
        chain, rate = self._chain, self._chain.config.sample_rate
        chain.begin()
        window = heard = since = lost = 0
        spoke = time.monotonic()
        while True:
            try:
                block = self._blocks.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                if time.monotonic() - spoke > _DEAD_SECONDS:
                    raise ToolError(NAME, f"gives no sound for {_DEAD_SECONDS:g} s", "connect it again") from None
                yield Heard(NAME, heard / rate)
                continue
            spoke = time.monotonic()
            if self._lost > lost:
                lost = self._lost
                chain.resume()
                yield Heard(NAME, heard / rate, remark=f"samples before window {window} were lost; {lost} times so far")
            samples = self._intake.push(block)
            while samples.size:
                taken, columns = chain.push(samples)
                heard, since = heard + taken, since + taken
                yield Heard(NAME, heard / rate, samples[:taken], columns)
                samples = samples[taken:]
                if chain.columns.complete:
                    decision = chain.decide(NAME, window)
                    loads = (chain.spent(since / rate), *self._load)
                    window, since = window + 1, 0
                    yield Heard(NAME, heard / rate, decision=decision, loads=loads)

    def __enter__(self) -> Self:
        try:
            self._stream.start()
        except self._module.PortAudioError as error:
            self._stream.close()
            raise self._unusable(None, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
