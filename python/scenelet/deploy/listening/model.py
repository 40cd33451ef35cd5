"""The model that a board holds, where this computer has its file: the spectrogram needs its front end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.files import sha256
from ...evaluation.evaluate import model_info
from ...frontend.tables import Tables
from ...targets.board import require_model
from ...targets.litert import LitertTarget
from ...tflite.metadata import ModelInfo, read


@dataclass(frozen=True)
class Known:
    """What is known here of a board's model.

    Attributes
    ----------
    info, tables
        Metadata and front end of its file; None where no file here is the board's.
    spectrogram
        Who computes the spectrogram; without tables, why there is none.
    name
        Of the file.
    """

    info: ModelInfo | None
    tables: Tables | None
    spectrogram: str
    name: str = ""


def known_model(held: dict[str, str], model: Path, *, chosen: bool) -> Known:
    """Match a model's file with what a device holds.

    Parameters
    ----------
    held
        The device's ``info``.
    chosen
        Whether the user named this file: another model on the device is an error then.

    Raises
    ------
    ModelError
        The device holds another model than the one that was named.
    """
    identity = sha256(model)
    if not chosen and held.get("model_sha256") != identity:
        return _STRANGER
    with LitertTarget(model) as target:
        tables = target.tables
        info = model_info(read(target.content, model), model)
    if not chosen and held.get("frontend_sha256") != tables.sha256:
        return _STRANGER
    require_model(held, identity, tables.sha256, model)
    return Known(
        info, tables, "computed on this computer from the same samples, by the firmware's C front end", model.name
    )


_STRANGER = Known(None, None, "none: name the board's model (scenelet listen MODEL ...) to see it")
