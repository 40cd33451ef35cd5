"""The data sets that scenelet reads: one row per data set, tried from top to bottom.

docs/ADDING_A_DATA_SET.md describes how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.names import is_utf8, label_problem, twice
from ...core.shown import markdown_code
from ...errors import DatasetError
from ..dataset import WHOLE, Clip, Dataset
from ..splits import with_validation
from . import biodcase_tiny, class_folders, esc, segments, split_folders, synthetic_city, tau

__all__ = ["FORMATS", "Clip", "Dataset", "DatasetFormat", "licence_text", "open_dataset", "require_outside"]


@dataclass(frozen=True, slots=True)
class DatasetFormat:
    """One row of the registry.

    Attributes
    ----------
    name
        Name of the data set, as :attr:`scenelet.data.dataset.Dataset.name` and the model's metadata give it.
    detect
        Whether a folder has this layout, complete or not. It looks at names and headers and reads no audio.
    read
        Reads a folder that ``detect`` accepted: (folder, subset or None) -> data set with its published splits, without
        "validation" and "all". Raises DatasetError with the file and line.
    licence
        Source, citation and licence for the model card, Markdown; "`{name}`" stands for the data set's name.
    subsets
        Values of ``subset`` that ``read`` accepts.
    percent_remedy
        What to do where the training split of "{percent}" per cent is not in the folder "{root}"; "" for data sets that
        publish none.
    any_folder
        Whether a folder that appears inside becomes a class, or makes the data set unreadable.
    """

    name: str
    detect: Callable[[Path], bool]
    read: Callable[[Path, str | None], Dataset]
    licence: str
    subsets: tuple[str, ...] = ()
    percent_remedy: str = ""
    any_folder: bool = False


# The first row whose detect() accepts the folder reads it; class folders accept every folder.
CLASS_FOLDERS = DatasetFormat(
    "class_folders", class_folders.detect, class_folders.read_folder, class_folders.LICENCE, any_folder=True
)
FORMATS = (
    DatasetFormat("esc50", esc.detect_esc50, esc.read_esc50, esc.ESC50_LICENCE, subsets=("esc10",)),
    DatasetFormat(
        "synthetic_city",
        synthetic_city.detect,
        synthetic_city.read_synthetic_city,
        synthetic_city.LICENCE,
        percent_remedy=synthetic_city.PERCENT_REMEDY,
    ),
    DatasetFormat("tau2022", tau.detect, tau.read_tau, tau.LICENCE, percent_remedy=tau.PERCENT_REMEDY),
    DatasetFormat("esc10", esc.detect_esc10, esc.read_esc10, esc.ESC10_LICENCE, subsets=("esc10",)),
    DatasetFormat(
        "synthetic_birds",
        biodcase_tiny.detect_synthetic,
        biodcase_tiny.read_biodcase_tiny,
        biodcase_tiny.SYNTHETIC_LICENCE,
    ),
    DatasetFormat("biodcase_tiny", biodcase_tiny.detect, biodcase_tiny.read_biodcase_tiny, biodcase_tiny.LICENCE),
    DatasetFormat("segments", segments.detect_table, segments.read_table_of_segments, segments.LICENCE),
    DatasetFormat("audacity", segments.detect_audacity, segments.read_audacity, segments.LICENCE),
    DatasetFormat(
        "split_folders", split_folders.detect, split_folders.read_split_folders, split_folders.LICENCE, any_folder=True
    ),
    CLASS_FOLDERS,
)


def open_dataset(
    path: str | Path,
    *,
    subset: str | None = None,
    percent: int | None = None,
    devices: Sequence[str] = (),
    validation_fraction: float = 0.2,
    seed: int = 0,
) -> Dataset:
    """Open a data set. No audio is read yet.

    Parameters
    ----------
    path
        Folder of the data set; for TAU also the folder that its archives were unpacked into.
    subset
        "esc10" reads only the ten classes of ESC-10 from a folder of ESC-50, under ESC-10's names.
    percent
        Train on a published part of the training split: 5, 10, 25, 50 or 100 % of TAU (DCASE 2024 task 1).
    devices
        Restrict every split to clips of these recording devices. The validation split is that of all devices,
        restricted.
    validation_fraction
        Part of the training clips that becomes the split "validation", in whole recordings (TAU: whole locations);
        0 < fraction < 1.
    seed
        Seed of the validation split.

    Returns
    -------
    Dataset
        With the splits "train", "validation", "test", "all" and those of the layout (ESC: "fold1" .. "fold5").

    Raises
    ------
    DatasetError
        Where the folder cannot be read as a data set, or a name cannot be used; names the folder, or the CSV file and
        line, and the remedy.
    """
    root = Path(path)
    try:
        if not root.is_dir():
            problem = "is a file" if root.exists() else "no such folder"
            raise DatasetError(root, problem, "give the folder of a data set")
        row = _row(root, subset)
        dataset = _of_percent(row.read(root, subset), row, percent)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise DatasetError(error.filename or root, problem, "check the path and its permissions") from None
    _require_names(dataset)
    _require_devices(dataset, devices)
    dataset = with_validation(dataset, validation_fraction, seed)
    return replace(dataset, splits={**dataset.splits, "all": dataset.clips}, devices=tuple(devices))


def require_outside(root: Path, place: Path) -> None:
    """Refuse results inside a data set that takes every folder inside it for a class.

    Raises
    ------
    DatasetError
        The place is the data set's folder ``root``, or lies in it.
    """
    if place.resolve().is_relative_to(root.resolve()) and _row(root, None).any_folder:
        problem = f"lies inside the data set {root}, which would take it for a class"
        raise DatasetError(place, problem, "choose a place outside")


def _of_percent(dataset: Dataset, row: DatasetFormat, percent: int | None) -> Dataset:
    """Replace "train" by a published part of it."""
    if percent is None:
        return dataset
    part = dataset.published(percent) if row.percent_remedy else ()
    if not part:
        remedy = row.percent_remedy.format(percent=percent, root=dataset.root) or "leave --split-percent out"
        raise DatasetError(dataset.root, f"has no training split of {percent} %", remedy)
    whole = dataset.published(WHOLE)
    return replace(dataset, splits={f"split{WHOLE}": whole, **dataset.splits, "train": part}, percent=percent)


def _require_devices(dataset: Dataset, devices: Sequence[str]) -> None:
    known = sorted({clip.device for clip in dataset.clips} - {""})
    for device in devices:
        if device not in known:
            problem = f"holds no clip of device '{device}'" if known else "does not say which device made a clip"
            raise DatasetError(dataset.root, problem, f"use one of: {', '.join(known)}" if known else "give no device")


def _require_names(dataset: Dataset) -> None:
    """Refuse, before any training, names that a later stage could not carry."""
    for label in dataset.labels:
        problem = label_problem(label)
        if problem:
            raise DatasetError(dataset.root, f"class '{label}': its name {problem}", "rename it")
    same = twice(dataset.labels)
    if same is not None:
        problem = f"two classes are named '{same}', but for the Unicode form of their letters and spaces at the ends"
        raise DatasetError(dataset.root, problem, "put their files into one folder, or rename one")
    for clip in dataset.clips:
        if not is_utf8(str(clip.path)) and not is_utf8(str(clip.path.relative_to(dataset.root))):
            raise DatasetError(clip.path, "its name inside the data set is not UTF-8", "rename it")


def licence_text(name: str) -> str:
    """Source and licence of a data set for the model card; folders of one's own have the text of class folders."""
    row = next((row for row in FORMATS if row.name == name), CLASS_FOLDERS)
    return row.licence.replace("`{name}`", markdown_code(name))


def _row(root: Path, subset: str | None) -> DatasetFormat:
    """Row of the layout of a folder; refuses a subset that it does not have."""
    known = list(dict.fromkeys(name for row in FORMATS for name in row.subsets))
    if subset not in (None, *known):
        raise DatasetError(root, f"unknown subset '{subset}'", f"use one of: {', '.join(known)}")
    row = next(row for row in FORMATS if row.detect(root))
    if subset is not None and subset not in row.subsets:
        raise DatasetError(root, f"has no subset '{subset}'", "give the folder of ESC-50")
    return row
