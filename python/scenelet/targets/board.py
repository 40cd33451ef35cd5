"""A board on a serial port that runs the product firmware."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import serial
from numpy.typing import NDArray

from ..compiler import pipeline
from ..errors import InputError, ModelError, ToolError
from .base import Heard, Values
from .interpreter import LocalTarget
from .serial.client import Decision, Device, audio_contents, scores_of
from .serial.clip_lines import clip_scores_of
from .serial.framing import Input
from .serial.streams import ByteStream, SocketStream

BAUD = 921_600


_GREETING_SECONDS = 10.0
_CONNECT_SECONDS = 2.0


class SerialStream:
    """A serial port as a byte stream.

    Parameters
    ----------
    port
        Name of the port, such as /dev/ttyACM0 or COM3.

    Raises
    ------
    ToolError
        The port does not exist, or cannot be opened.
    """

    def __init__(self, port: str) -> None:
        self._port = port
        try:
            self._serial = serial.Serial(port, BAUD, timeout=0, write_timeout=10.0)
        except (serial.SerialException, OSError, ValueError) as error:
            number = getattr(error, "errno", None)
            reason = os.strerror(number) if number else str(error)
            raise ToolError(port, f"cannot be opened: {reason}", "check cable, name and permissions") from None

    def read(self, seconds: float) -> bytes:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        try:
            self._serial.timeout = seconds
            first = self._serial.read(1)
            self._serial.timeout = 0
            return bytes(first + self._serial.read(65_536)) if first else b""
        except (serial.SerialException, OSError) as error:
            raise ToolError(self._port, f"disconnected: {error}", "connect the board again") from None

    def write(self, content: bytes) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        try:
            self._serial.write(content)
        except (serial.SerialException, OSError) as error:
            raise ToolError(self._port, f"cannot be written to: {error}", "connect the board again") from None

    def close(self) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._serial.close()


def open_port(port: str) -> ByteStream:
    """Open a port by its name.

    Parameters
    ----------
    port
        ``unix:PATH`` or ``tcp:HOST:PORT`` as in QEMU's ``-serial``, else the name of a serial port.

    Raises
    ------
    InputError
        ``tcp:`` without host and port number.
    ToolError
        Nothing listens there, or the port cannot be opened.
    """
    if port.startswith("unix:"):
        return SocketStream(Path(port.removeprefix("unix:")), _CONNECT_SECONDS)
    if not port.startswith("tcp:"):
        return SerialStream(port)
    host, _, number = port.removeprefix("tcp:").rpartition(":")
    if not number.isdecimal() or not 0 < int(number) < 65_536:
        raise InputError(port, "is not a TCP port", "write tcp:HOST:PORT, such as tcp:localhost:5555")
    return SocketStream((host or "localhost", int(number)), _CONNECT_SECONDS)


@contextmanager
def open_device(port: str, seconds: float = _GREETING_SECONDS) -> Iterator[Device]:
    """Open the device on a port, in any state of its firmware.

    Parameters
    ----------
    port
        See :func:`open_port`.
    seconds
        Seconds of silence after which the device counts as dead.

    Raises
    ------
    ToolError
        The port cannot be opened.
    """
    stream = open_port(port)
    try:
        yield Device(stream, give_up_seconds=seconds)
    finally:
        stream.close()


def require_model(info: dict[str, str], model_sha256: str, frontend_sha256: str | None, subject: object) -> None:
    """Raise a ModelError with both hashes unless a device's ``info`` names this model and this front end."""
    remedy = f"flash it with: scenelet new FOLDER --board BOARD --from {subject}, then in FOLDER: pio run -t upload"
    held = info.get("model_sha256", "none")
    if held != model_sha256:
        name = info.get("model", "unknown")
        raise ModelError(subject, f"the device holds another model, {name} {held}, not {model_sha256}", remedy)
    held = info.get("frontend_sha256", "none")
    if frontend_sha256 is not None and held != frontend_sha256:
        raise ModelError(subject, f"the device holds another front end, {held}, not {frontend_sha256}", remedy)


class SerialTarget(LocalTarget):
    """Runs a model on a board that was flashed with it; its tensors are the input and the scores.

    Parameters
    ----------
    model
        Path of the INT8 .tflite that the board was flashed with, or its bytes.
    port
        Port of the board; see :func:`open_port`.
    seconds
        Seconds of silence after which the board counts as dead.

    Raises
    ------
    ToolError
        The port cannot be opened, or the board does not answer.
    ModelError
        The board holds another model or front end.
    """

    def __init__(self, model: str | Path | bytes, port: str, seconds: float = _GREETING_SECONDS) -> None:
        self.compiled = pipeline.compile_model(model)
        super().__init__(model)
        self.name = f"serial:{port}"
        self._sequence: list[list[NDArray[np.int8]]] = []
        self._frontend_sha256 = self.tables.sha256 if self.compiled.info else None
        self._connection = open_device(port, seconds)
        self._device = self._connection.__enter__()
        try:
            require_model(self._device.info(), self.compiled.identity.sha256, self._frontend_sha256, self.subject)
        except BaseException:
            self.__exit__()
            raise

    def _decide(self, contents: Iterator[bytes], kind: Input) -> NDArray[np.int8]:
        decisions = self._device.decide(contents, kind, self.compiled.identity.sha256, self._frontend_sha256)
        return scores_of(decisions, (sum(tensor.nbytes for tensor in self.outputs),))

    def run_each(self, inputs: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.int8], ...]:
        """See :class:`LocalTarget`; every input is sent over the serial port."""
        steps = zip(*self.shaped_each(inputs), strict=True)
        scores = self._decide((self.packed(one).tobytes() for one in steps), Input.TENSOR)
        ends = np.cumsum([tensor.nbytes for tensor in self.outputs])[:-1]
        parts = zip(np.split(scores, ends, axis=1), self.outputs, strict=True)
        return tuple(part.reshape(len(scores), *tensor.shape[1:]) for part, tensor in parts)

    def reset(self) -> None:
        """See :class:`LocalTarget`; the board starts every session so."""
        self._sequence.clear()

    def infer(self, inputs: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], ...]:
        """See :class:`LocalTarget`; of a network with state, all inputs since :meth:`reset` are sent once more."""
        step = [one.reshape(1, -1) for one in inputs]
        sequence = [*self._sequence, step] if self.stateful else [step]
        scores = self.run_each([np.concatenate(steps) for steps in zip(*sequence, strict=True)])
        self._sequence = sequence
        return tuple(values[-1] for values in scores)

    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        """See :class:`LocalTarget`; a board gives no tensors between inputs and outputs."""
        shaped = self.one_each(one)
        given = {tensor.index: values for tensor, values in zip(self.inputs, shaped, strict=True)}
        return given | {
            tensor.index: values.reshape(tensor.shape)
            for tensor, values in zip(self.outputs, self.infer(shaped), strict=True)
        }

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """See :class:`LocalTarget`; every window is sent over the serial port."""
        scores = self._decide(audio_contents(windows, self.tables.config), Input.AUDIO)
        return scores.reshape(len(scores), *self.output.shape[1:])

    def hear(self, windows: NDArray[np.int32]) -> Heard:
        """See :class:`LocalTarget`; the board's own clip head answers."""
        scores, silent = self.classify(windows), self.silent(windows)
        clip = clip_scores_of(self._device.clip_scores, silent, scores.shape[-1]) if self.clip_head else None
        return Heard(scores, silent, clip)

    def decisions(self, windows: NDArray[np.int32]) -> Iterator[Decision]:
        """Like :meth:`classify`, but yields each decision as it comes."""
        contents = audio_contents(windows, self.tables.config)
        return self._device.decide(contents, Input.AUDIO, self.compiled.identity.sha256, self._frontend_sha256)

    @property
    def resent(self) -> int:
        """Frames sent more than once."""
        return self._device.resent

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)
