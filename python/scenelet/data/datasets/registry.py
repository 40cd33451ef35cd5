"""Open a data set by its folder, whatever its layout.

==============================================  =======================================
found in the folder                             read as
==============================================  =======================================
``evaluation_setup/`` and ``meta.csv`` (tabs)   TAU Urban Acoustic Scenes 2022 Mobile
``meta/esc50.csv``                              ESC-50, or its subset ESC-10
``meta.csv`` (commas)                           ESC-10
folders of audio files                          one class a folder
==============================================  =======================================
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...errors import DatasetError
from ..dataset import Clip, Dataset
from . import esc, tau
from .class_folders import read_folder

__all__ = ["Clip", "Dataset", "open_dataset"]

SUBSETS = ("esc10",)


def open_dataset(
    path: str | Path, *, subset: str | None = None, validation_fraction: float = 0.2, seed: int = 0
) -> Dataset:
    """Open a data set; no sample is read yet.

    Parameters
    ----------
    path
        Its folder; TAU's may be the one that its archives were unpacked into.
    subset
        "esc10": of ESC-50 only the ten classes of ESC-10, under ESC-10's names.
    validation_fraction
        Part of the training clips that becomes the split "validation", in whole recordings (TAU: whole locations);
        0 < fraction < 1.
    seed
        Chooses which.

    Returns
    -------
    Dataset
        With the splits "train", "validation", "test", "all" and the layout's own (ESC: "fold1" .. "fold5").

    Raises
    ------
    DatasetError
        Naming the folder, or the CSV file and line, and the remedy.
    """
    root = Path(path)
    try:
        if not root.is_dir():
            problem = "is a file" if root.exists() else "no such folder"
            raise DatasetError(root, problem, "give the folder of a data set")
        dataset = _read(root, subset)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise DatasetError(error.filename or root, problem, "check the path and its permissions") from None
    dataset = dataset.with_validation(validation_fraction, seed)
    return replace(dataset, splits={**dataset.splits, "all": dataset.clips})


def _read(root: Path, subset: str | None) -> Dataset:
    if subset not in (None, *SUBSETS):
        raise DatasetError(root, f"unknown subset '{subset}'", f"use one of: {', '.join(SUBSETS)}")
    if (root / esc.ESC50_TABLE).is_file():
        return esc.read_esc50(root, esc10=subset == "esc10")
    tau_root = next((folder for folder in (root, root / tau.FOLDER) if tau.is_tau(folder)), None)
    if tau_root is None and (root / esc.ESC10_TABLE).is_file():
        return esc.read_esc10(root)
    if subset:
        raise DatasetError(root, f"has no subset '{subset}'", "give the folder of ESC-50")
    return tau.read_tau(tau_root) if tau_root else read_folder(root)
