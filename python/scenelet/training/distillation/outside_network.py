"""A teacher from outside by its network: what it hears in the clips, and a linear head for a data set.

The network hears each clip by its own front end. Its outputs, the mean over the parts of a clip that are not silent,
are rows of a softmax regression, fitted on the student's own training clips. No training clip is judged by a head that
was fitted on its recording: the heads are cross-fitted over the published folds, or over five groups of recordings. The
logits go into a file as :mod:`.outside_teacher` reads it.

==================== ==========================================================================================
file                 front end
==================== ==========================================================================================
``.h5``              :mod:`scenelet.models.yamnet_patches`, of YAMNet's first layers (:mod:`scenelet.models.yamnet`)
``.keras``           that of ``--teacher-frontend``, in the network's own shape; its input is the INT8 feature / 64
``.tflite``          that of its metadata, or of ``--teacher-frontend``
==================== ==========================================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config.frontend import FrontendConfig
from ...config.frontend_file import load as load_frontend
from ...config.recipe import Recipe
from ...core import toolchain
from ...core.files import is_there, read_bytes, write_bytes
from ...core.sealed import pack, unpack
from ...data.audio import read_audio
from ...data.dataset import Clip, Dataset
from ...data.splits import with_validation
from ...errors import InputError
from ...frontend.available import open_frontend
from ...frontend.capture import read_clip
from ...frontend.tables import make_tables
from ...frontend.windows import cut
from ...models import yamnet_patches
from ..softmax_regression import SoftmaxLayer, fit_softmax

SUFFIXES = (".h5", ".keras", ".tflite")
YAMNET = "YAMNet, first layers (AudioSet)"
_L2 = 1e-3
_GROUPS = 5
_QUIET = 1e-4  # full scale 1: a patch without a sample above it, -80 dB, is silent

Listen = Callable[[Clip], NDArray[np.float64]]
"""Outputs of a network for the parts of a clip that are not silent, (parts, width); none for a clip of silence."""


@dataclass(frozen=True)
class OutsideNetwork:
    """A network from elsewhere.

    Attributes
    ----------
    path
        Of its file.
    name
        Of the network and of the data that it was trained on, for metadata and card.
    listen
        Gives its outputs.
    frontend
        Names its front end, for the cache.
    """

    path: Path
    name: str
    listen: Listen
    frontend: str


def open_network(path: str | Path, name: str | None = None, frontend: str | None = None) -> OutsideNetwork:
    """Name a network by its file, which is opened when it first hears a clip; see the module's table.

    Parameters
    ----------
    path
        ``.h5``, ``.keras`` or ``.tflite``.
    name
        Of the network and its data; only YAMNet's is known.
    frontend
        Recipe, or TOML file, whose front end it has.

    Raises
    ------
    InputError
        The file cannot be read or has another suffix, a name or a front end is lacking, or they do not fit.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(path, "is no network", f"give a file that ends in {', '.join(SUFFIXES)}")
    read_bytes(path)
    if path.suffix == ".h5":
        if frontend is not None:
            raise InputError("--teacher-frontend", "does not go with an .h5 file", f"{path.name} has YAMNet's own")
        return OutsideNetwork(path, name or YAMNET, _opened(lambda: _yamnet(path)), "yamnet")
    if not (name or "").strip():
        problem = "has no name for the metadata"
        raise InputError(path, problem, 'give --teacher-name with its data, such as "YAMNet (AudioSet)"')
    config = _config_of(path, frontend)
    make = _keras if path.suffix == ".keras" else _tflite
    return OutsideNetwork(path, str(name), _opened(lambda: make(path, config)), config.sha256)


def _opened(make: Callable[[], Listen]) -> Listen:
    """Open a network when it first hears something: TensorFlow takes seconds."""
    made: list[Listen] = []

    def listen(clip: Clip) -> NDArray[np.float64]:
        if not made:
            made.append(make())
        return made[0](clip)

    return listen


def _yamnet(path: Path) -> Listen:
    from ...models.yamnet import load_yamnet256

    model = load_yamnet256(path)

    def listen(clip: Clip) -> NDArray[np.float64]:
        samples = read_audio(clip.path, yamnet_patches.RATE, 24, span=clip.span).astype(np.float64) / (1 << 23)
        parts = yamnet_patches.patches(samples)
        step, length = yamnet_patches.PATCH_FRAMES // 2 * 160, yamnet_patches.PATCH_SAMPLES
        starts = range(0, len(parts) * step, step)
        parts = parts[[np.abs(samples[start : start + length]).max(initial=0) > _QUIET for start in starts]]
        return _outputs(model, parts[..., None]) if len(parts) else np.empty((0, 1))

    return listen


def _outputs(model: Any, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(model(inputs, training=False), np.float64).reshape(len(inputs), -1)


def _config_of(path: Path, frontend: str | None) -> FrontendConfig:
    if frontend is not None:
        return load_frontend(frontend).settings(1 / 64, 0)
    if path.suffix == ".tflite":
        from ...tflite.metadata import read

        if info := read(read_bytes(path), path):
            return info.frontend
    raise InputError(path, "says nothing of its front end", "give --teacher-frontend RECIPE, or a TOML file")


def _features(clip: Clip, config: FrontendConfig, front: Any) -> NDArray[np.int8]:
    """INT8 features of the windows of a clip that are not silent."""
    windows = cut(read_clip(clip, config), config)
    loud = np.abs(windows).max(axis=1) > _QUIET * (1 << config.sample_bits - 1)
    return np.asarray(front.features(windows[loud]) if loud.any() else np.empty((0, config.n_mels, config.frames)))


def _keras(path: Path, config: FrontendConfig) -> Listen:
    from ...models.from_keras import load_model

    model = load_model(str(path))
    shape = tuple(model.input_shape[1:])
    if shape not in ((config.n_mels, config.frames, 1), (config.n_mels, config.frames)):
        problem = f"takes {shape}, its front end gives {(config.n_mels, config.frames, 1)}"
        raise InputError(path, problem, "give another --teacher-frontend")
    front = open_frontend(make_tables(config, 1 / 64, 0))

    def listen(clip: Clip) -> NDArray[np.float64]:
        found = _features(clip, config, front)
        inputs = found.reshape(len(found), *shape).astype(np.float32) * np.float32(1 / 64)
        return _outputs(model, inputs) if len(found) else np.empty((0, 1))

    return listen


def _tflite(path: Path, config: FrontendConfig) -> Listen:
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_path=str(path))
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError):
        raise InputError(path, "is no .tflite that LiteRT runs", "give another file") from None
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if source["dtype"] != np.int8 or int(np.prod(source["shape"])) != config.n_mels * config.frames:
        made = f"takes {np.dtype(source['dtype']).name} {source['shape'].tolist()}"
        problem = f"{made}, its front end gives int8 {[config.n_mels, config.frames]}"
        raise InputError(path, problem, "give an INT8 model, and its own front end")
    scale, zero_point = source["quantization"]
    front = open_frontend(make_tables(config, float(scale), int(zero_point)))

    def listen(clip: Clip) -> NDArray[np.float64]:
        rows = []
        for one in _features(clip, config, front):
            interpreter.set_tensor(source["index"], one.reshape(source["shape"]))
            interpreter.invoke()
            rows.append(interpreter.get_tensor(target["index"]).reshape(-1).astype(np.float64))
        return np.array(rows) if rows else np.empty((0, 1))

    return listen


def outputs_of(network: OutsideNetwork, clips: Sequence[Clip]) -> NDArray[np.float64]:
    """Mean output for each clip, (clips, width); zeros for a clip of silence. Kept in the build folder."""
    digest = hashlib.sha256(read_bytes(network.path) + network.frontend.encode())
    for clip in clips:
        digest.update(clip.named(clip.path.name).encode() + hashlib.sha256(read_bytes(clip.path)).digest())
    path = toolchain.build_folder() / "teachers" / f"{digest.hexdigest()[:16]}-outside.npz"
    if is_there(path):
        return unpack(read_bytes(path), path, "delete it")["outputs"]
    found = [network.listen(clip) for clip in clips]
    width = max((one.shape[1] for one in found if len(one)), default=0)
    if not width:
        raise InputError(network.path, "hears nothing but silence in these clips", "look at the recordings")
    outputs = np.array([one.mean(axis=0) if len(one) else np.zeros(width) for one in found])
    write_bytes(path, pack({"outputs": outputs}))
    return outputs


def groups_of(clips: Sequence[Clip]) -> NDArray[np.int64]:
    """Group of each clip, no recording in two: its published fold, or one of five where there are no two folds."""
    folds = sorted({clip.fold for clip in clips if clip.fold})
    if len(folds) > 1:
        return np.array([clip.fold for clip in clips])
    places = {name: place for place, name in enumerate(sorted({clip.recording for clip in clips}))}
    return np.array([places[clip.recording] % _GROUPS for clip in clips])


def cross_fitted(rows: NDArray[np.float64], classes: NDArray[np.int64], groups: NDArray[np.int64], count: int) -> Any:
    """Logits of each row by a head that was fitted on the rows of all other groups, (n, classes)."""
    logits = np.empty((len(rows), count))
    for group in np.unique(groups):
        inside = groups == group
        if len(np.unique(classes[~inside])) < count:
            raise InputError("teacher", "would be fitted without one of the classes", "give more recordings of each")
        logits[inside] = fit_head(rows[~inside], classes[~inside], count)(rows[inside])
    return logits


def fit_head(
    rows: NDArray[np.float64], classes: NDArray[np.int64], count: int
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Fit a linear head on rows of outputs, each brought to unit variance; a function of rows to logits."""
    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    start = SoftmaxLayer(np.zeros((rows.shape[1], count)), np.zeros(count))
    layer = fit_softmax((rows - mean) / spread, classes, start, _L2, 0.0)
    return lambda given: layer.logits((given - mean) / spread)


def logits_file(network: OutsideNetwork, recipe: Recipe, dataset: Dataset) -> Path:
    """Write a network's cross-fitted logits for the training clips of a recipe, as ``--teacher-logits`` takes them.

    The heads are fitted on the training clips without those of the validation split, which stop the student.

    Returns
    -------
    Path
        In the build folder, named by its content.
    """
    training = recipe.training
    split = with_validation(dataset, training.validation_fraction, training.validation_seed)
    learned, test = split.split("train"), list(split.splits.get("test", ()))
    classes = dataset.targets(learned)
    everything = outputs_of(network, dataset.clips)
    place = {clip: row for row, clip in enumerate(dataset.clips)}
    rows = everything[[place[clip] for clip in learned]]
    logits = cross_fitted(rows, classes, groups_of(learned), len(dataset.labels))
    arrays = {
        "clip": np.array([clip.path.relative_to(dataset.root).as_posix() for clip in (*learned, *test)]),
        "heard": np.array([1] * len(learned) + [0] * len(test)),
        "teacher": np.array(network.name),
        "labels": np.array(dataset.labels),
        "logits": np.vstack([logits, np.zeros((len(test), len(dataset.labels)))]),
    }
    content = pack(arrays)
    path = toolchain.build_folder() / "teachers" / f"{hashlib.sha256(content).hexdigest()[:16]}-logits.npz"
    write_bytes(path, content)
    return path
