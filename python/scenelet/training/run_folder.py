"""The folder of one training run.

::

    run.json         the request: recipe, data set, hash of the features; a folder with another request is refused
    learned.json     which clips the run is trained on, for the model's metadata
    checkpoint.npz   state after the last epoch; gone when the run is complete
    history.csv      one line per epoch
    curves.png       the same as a plot
    model.keras      the network, with the best epoch's weights
    clip_head.npz    the clip head, for a recipe that has one
    calibration.npy  INT8 features, (n, mel bands, frames), that set the activation ranges of the INT8 network
    metrics.json     scores by split; written last, so its presence says that the run is complete
    model.tflite     written by quantization
    aware_*          written by quantization-aware training (QAT): history, curves, and a checkpoint until it is done
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..config import recipe as recipes
from ..config.recipe import Recipe
from ..core.files import is_there, read_bytes, scratch, sweep, unreadable, write_bytes, write_text
from ..core.json_files import Checked, checked, read_object, require_keys
from ..core.metrics import Scores
from ..core.sealed import read_array, require_whole_zip, seal_zip, write_array
from ..errors import DamagedFileError, InputError
from ..tflite.metadata import Provenance
from .checkpoint import Epoch

if TYPE_CHECKING:
    from ..models.backend import keras

REQUEST, PROVENANCE, CHECKPOINT = "run.json", "learned.json", "checkpoint.npz"
HISTORY, CURVES = "history.csv", "curves.png"
MODEL, CALIBRATION, METRICS, TFLITE = "model.keras", "calibration.npy", "metrics.json", "model.tflite"
QAT_PREFIX = "aware_"  # of the files that quantization-aware training adds to a complete run

_AGAIN = "delete the folder and train again"
_MISSING = "is missing from a finished run"


@dataclass(frozen=True)
class Request:
    """What a run was requested to do.

    Attributes
    ----------
    recipe
        With the data set's number of classes.
    dataset
        Name of the data set.
    labels
        Its classes in the order of the scores.
    features_sha256
        Hash of the windows of every split.
    sources
        Hashes of the weights of other networks that this one is made from, by role: its teacher, the network that it
        was pruned from.
    """

    recipe: Recipe
    dataset: str
    labels: tuple[str, ...]
    features_sha256: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "dataset": self.dataset,
            "labels": list(self.labels),
            "features_sha256": dict(self.features_sha256),
            **({"sources": dict(self.sources)} if self.sources else {}),
        }


class _Request(Checked):
    """Keys of the file of a request."""

    recipe: dict[str, Any]
    dataset: str
    labels: list[str]
    features_sha256: dict[str, str]
    sources: dict[str, str] = Field(default_factory=dict)


def _flat(values: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(values, dict):
        return {prefix: values}
    return {key: leaf for name, value in values.items() for key, leaf in _flat(value, f"{prefix}.{name}").items()}


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Name the first setting that differs."""
    before, after = _flat(old), _flat(new)
    key = next(key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key))
    return f"{key.lstrip('.')} was {_short(before.get(key))} and is {_short(after.get(key))}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a run folder.

    Raises
    ------
    InputError
        Where it is missing, damaged or unreadable.
    """
    for place in (path.parent, path):
        if not is_there(place):
            raise InputError(place, "no such file", "give the folder of a training run")
    if not path.parent.is_dir():
        raise InputError(path.parent, "is no folder", "give the folder of a training run")
    return read_object(path, _AGAIN)


def claim(folder: Path, request: Request, provenance: Provenance | None = None) -> None:
    """Write a request into a new folder, or check that the folder holds the same one; record the training clips there.

    Raises
    ------
    InputError
        Where the folder holds another run, naming a setting that differs, or is not empty and not a run.
    """
    path = folder / REQUEST
    if folder.is_dir():
        sweep(folder)
    wanted = json.loads(json.dumps(request.to_json()))
    if is_there(path):
        found = read_json(path)
        if found != wanted:
            raise InputError(
                folder, f"holds another run: {_difference(found, wanted)}", "choose another folder or delete this one"
            )
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(folder, "is not a training run and not empty", "choose another folder")
    else:
        write_text(path, json.dumps(wanted, indent=2) + "\n")
    if provenance and provenance_of(folder) != provenance:
        write_text(folder / PROVENANCE, provenance.model_dump_json(indent=2) + "\n")


def request_of(folder: str | Path) -> Request:
    """Read the request of a run.

    Raises
    ------
    InputError
        Where the folder is not a training run.
    """
    path = Path(folder) / REQUEST
    content = read_json(path)
    held = checked(_Request, content, path, _AGAIN)
    recipe = recipes.parse(held.recipe, str(path))
    return Request(recipe, held.dataset, tuple(held.labels), held.features_sha256, held.sources)


def provenance_of(folder: str | Path) -> Provenance | None:
    """Read which clips a run was trained on; None where the run does not record them.

    Raises
    ------
    InputError
        Where the file is damaged.
    """
    path = Path(folder) / PROVENANCE
    if not is_there(path):
        return None
    remedy = "delete that file and give the training command again"
    return checked(Provenance, read_object(path, remedy), path, remedy)


def metrics_of(folder: str | Path, splits: Iterable[str] = ("train", "validation")) -> dict[str, Any] | None:
    """Read the scores of a complete run; None where it is not complete.

    Raises
    ------
    InputError
        Where the file is damaged, or lacks the scores of one of ``splits``.
    """
    path = Path(folder) / METRICS
    if not is_there(path):
        return None
    metrics = read_json(path)
    parts = {*splits, *(name for name, value in metrics.items() if isinstance(value, dict))}
    types = dict.fromkeys(sorted(parts), Scores) | {"recipe": str, "dataset": str, "epochs": int}
    require_keys(metrics, path, _AGAIN, **types)
    return metrics


def done(folder: Path, splits: Iterable[str]) -> dict[str, Any] | None:
    """Read the scores of a run that has all that the next step needs; None where the run is not complete.

    Checkpoints that are left after a kill just before the end are removed.

    Raises
    ------
    InputError
        As :func:`metrics_of` does; also where network or calibration windows of a complete run are missing.
    """
    metrics = metrics_of(folder, splits)
    for name in (MODEL, CALIBRATION):
        if metrics is not None and not is_there(folder / name):
            raise InputError(folder / name, _MISSING, _AGAIN)
    if metrics is not None:
        drop_checkpoints(folder)
    return metrics


def drop_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of the run, its members and its stages; the checkpoint of QAT stays."""
    for path in sorted(folder.glob(f"*{CHECKPOINT}")):
        if path.name != f"{QAT_PREFIX}{CHECKPOINT}":
            path.unlink(missing_ok=True)


def save_model(folder: Path, model: keras.Model) -> None:
    """Write the network whole or not at all."""
    with scratch() as place:
        path = place / MODEL
        model.save(path)
        write_bytes(folder / MODEL, seal_zip(path.read_bytes()))


def require_finished(folder: str | Path) -> None:
    """Check that a run is complete and holds its network, without reading it.

    Raises
    ------
    InputError
        There is no run, it is not complete, or its network is missing.
    """
    request_of(folder)
    _require_network(folder)


def _require_network(folder: str | Path) -> None:
    if metrics_of(folder) is None:
        raise InputError(folder, "holds no finished network", "let `scenelet train` finish")
    if not is_there(path := Path(folder) / MODEL):
        raise InputError(path, _MISSING, _AGAIN)


def load_model(folder: str | Path) -> keras.Model:
    """Load the network of a complete run.

    Raises
    ------
    InputError
        Where the run is not complete, or its network is missing or damaged.
    """
    path = Path(folder) / MODEL
    _require_network(folder)
    require_whole_zip(read_bytes(path), path, _AGAIN)
    from ..models.backend import keras  # after all checks: it takes seconds

    try:
        return keras.saving.load_model(path, compile=False)
    except OSError as error:
        raise unreadable(path, error) if error.errno else DamagedFileError(path, "is damaged", _AGAIN) from None
    except Exception:  # a network without a hash, of version 0.1: whatever zipfile, json, h5py and Keras raise
        raise DamagedFileError(path, "is damaged", _AGAIN) from None


def weights_sha256(model: keras.Model) -> str:
    """Hash of a network's weights; a hash of its file would change with the time of writing."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(repr(weight.shape).encode() + weight.tobytes())
    return digest.hexdigest()


def save_calibration(folder: Path, features: NDArray[np.int8]) -> None:
    """Write the calibration windows, INT8 (n, mel bands, frames)."""
    write_array(folder / CALIBRATION, features)


def load_calibration(folder: str | Path) -> NDArray[np.int8]:
    """Read the calibration windows, INT8 (n, mel bands, frames); files of version 0.1 have no hash.

    Raises
    ------
    DamagedFileError
        Where the file is damaged.
    InputError
        Where it is missing or cannot be read.
    """
    path = Path(folder) / CALIBRATION
    if not is_there(path):
        raise InputError(path, _MISSING, _AGAIN)
    features = read_array(path, _AGAIN)
    if features.dtype != np.int8 or features.ndim != 3 or not features.size:
        problem = f"is damaged: {features.dtype.name} values of shape {features.shape}"
        raise DamagedFileError(path, problem, _AGAIN)
    return features


def write_history(folder: Path, history: list[Epoch], best_epoch: int, prefix: str = "") -> None:
    """Write the epochs as CSV and as a plot; ``prefix`` is put before the file names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(Epoch.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in history)
    write_text(folder / f"{prefix}{HISTORY}", text.getvalue())
    write_bytes(folder / f"{prefix}{CURVES}", _plot(history, best_epoch))


def _plot(history: list[Epoch], best_epoch: int) -> bytes:
    from matplotlib.figure import Figure  # not pyplot: no display and no global state

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    losses.plot(epochs, [row.loss for row in history], label="training")
    losses.plot(epochs, [row.validation_loss for row in history], label="validation")
    losses.set(xlabel="epoch", ylabel="loss")
    accuracies.plot(epochs, [row.validation_accuracy for row in history], color="C1", label="validation")
    accuracies.set(xlabel="epoch", ylabel="accuracy of windows", ylim=(0, 1))
    for axes in (losses, accuracies):
        axes.axvline(best_epoch, color="0.6", linestyle=":", label="best")
        axes.legend()
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100, metadata={"Software": None})
    return content.getvalue()
