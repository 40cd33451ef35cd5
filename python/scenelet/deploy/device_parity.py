"""Layer-by-layer parity of a device: its features and every tensor, compared with the references by CRC-32."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiler import pipeline
from ..data import audio
from ..errors import ParityError
from ..frontend import fixed_point as frontend_model
from ..frontend.capture import read_capture
from ..frontend.tables import Tables
from ..targets.board import require_model
from ..targets.known_answer import noise
from ..targets.litert import LitertTarget
from ..targets.serial.client import Device, audio_contents
from ..targets.serial.framing import Input


@dataclass(frozen=True)
class ArrayCheck:
    """Result for one array of the device.

    Attributes
    ----------
    name, bytes
        Of the array.
    tensor
        Index in the .tflite file; -1 for the features.
    same
        Whether it equals the reference.
    """

    name: str
    tensor: int
    bytes: int
    same: bool

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def require_equal(rows: list[ArrayCheck], subject: object) -> None:
    """Raise a ParityError that names the first array that differs."""
    wrong = [row for row in rows if not row.same]
    if wrong:
        problem = f"{len(wrong)} of {len(rows)} arrays differ from the reference, first {wrong[0].name}"
        raise ParityError(subject, problem, "flash the device again; if it persists, look at the first one's kernel")


def _window(path: Path | None, tables: Tables) -> NDArray[np.int32]:
    config = tables.config
    if path is None:
        return noise(config.clip_samples, config.sample_bits)[None]
    return audio.windows(read_capture(path, config), config.clip_samples)[:1]


def compare_device(model: Path, device: Device, file: Path | None = None) -> list[ArrayCheck]:
    """Run a device on one window and compare everything that it computes on the way to the scores.

    The features are compared with the NumPy model. The tensors are compared with TFLite BUILTIN_REF, which runs on the
    device's own features.

    Parameters
    ----------
    file
        Audio file whose first window is used; None for the noise of the self-test, which the device makes itself.

    Returns
    -------
    list of ArrayCheck
        In the order in which the device computes; tensors that it fused away are left out.

    Raises
    ------
    ModelError
        The device holds another model or front end, or the model has no front end.
    ToolError
        The device stops answering.
    """
    identity = pipeline.compile_model(model).identity.sha256
    with LitertTarget(model) as reference:
        tables = reference.tables
        require_model(device.info(), identity, tables.sha256, model)
        window = _window(file, tables)
        if file is None:
            device.selftest()
        else:
            list(device.decide(audio_contents(window, tables.config), Input.AUDIO, identity, tables.sha256))
        got = device.features()
        expected = frontend_model.features(window, tables).reshape(-1)
        rows = [ArrayCheck("features", -1, got.size, bool(np.array_equal(got, expected)))]
        tensors = reference.tensors(got)
        for line in device.checksums():
            index = int(line["tensor"])
            same = zlib.crc32(tensors[index].tobytes()) == int(line["crc32"], 16)
            rows.append(ArrayCheck(line["name"], index, int(line["bytes"]), same))
        return rows
