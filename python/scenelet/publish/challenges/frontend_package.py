"""A log-mel front end as a Python package of its own, for entries that bring their code: NumPy and nothing of scenelet.

::

    scenelet_frontend/log_mel.py       of_samples, of_file
    scenelet_frontend/fixed_point.py   the specification, as scenelet.frontend.fixed_point has it
    scenelet_frontend/tables.npz       its constants
    scenelet_frontend/tables.py, windows.py, audio.py

It has no ``__init__.py``: BioDCASE's organisers put an entry's files over all files of the same names in their tree.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ...config.frontend import FrontendConfig
from ...core.files import write_bytes, write_text
from ...core.templating import render
from ...errors import InputError
from ...frontend import fixed_point
from ...frontend.tables import LOG2_SEGMENTS, Q31_ONE, make_tables

PACKAGE = "scenelet_frontend"
_ARRAYS = ("full_window", "sine", "weight", "bins", "log2", "base", "gain", "floor", "norm")


def write_frontend(folder: Path, config: FrontendConfig, subject: object) -> None:
    """Write the package into a folder.

    Parameters
    ----------
    folder
        Gets the folder :data:`PACKAGE`.
    config
        Settings of the front end.
    subject
        Whose front end it is, for errors.

    Raises
    ------
    InputError
        Where it decimates a microphone's rate, which only the firmware's C does.
    """
    if config.capture_rate is not None:
        raise InputError(subject, "has a front end with capture_rate", "train on audio at the front end's own rate")
    values = {"q31_one": Q31_ONE, "log2_segments": LOG2_SEGMENTS}
    for name in ("log_mel", "audio", "tables", "windows"):
        write_text(folder / PACKAGE / f"{name}.py", render(__package__, f"frontend_{name}.py", values))
    write_text(folder / PACKAGE / "fixed_point.py", Path(fixed_point.__file__).read_text("utf-8"))
    write_bytes(folder / PACKAGE / "tables.npz", _constants(config))


def _constants(config: FrontendConfig) -> bytes:
    tables = make_tables(config)
    numbers = {
        "sample_rate": config.sample_rate,
        "sample_bits": config.sample_bits,
        "n_fft": config.n_fft,
        "hop_length": config.hop_length,
        "n_mels": config.n_mels,
        "frames": config.frames,
        "clip_samples": config.clip_samples,
        "window_step": config.clip_samples if config.slide is None else config.slide * config.hop_length,
        "first_bin": tables.first_bin,
        "padded": tables.padded,
        "radix4_stages": tables.radix4_stages,
    }
    held: dict[str, Any] = {name: np.asarray(value) for name, value in numbers.items()}
    held |= {name: getattr(tables, name) for name in _ARRAYS}
    content = io.BytesIO()
    np.savez(content, **held)
    return content.getvalue()
