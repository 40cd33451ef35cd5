"""Conversion of a trained network to a full INT8 .tflite file with metadata.

INT8 in and out, INT8 weights and activations, INT32 biases. The input's scale is exactly 1/64 with zero point 0, so the
front end's INT8 features are the input as they are. The same network, calibration and recipe give the same bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import Recipe
from ..core.files import require_free, scratch, write_bytes
from ..core.names import label_problem
from ..core.stderr import discard_stderr
from ..errors import ModelError, ToolError
from ..tflite import canonicalize, metadata, object_model
from ..tflite.clip_head import TENSOR, ClipHead, make_clip_head
from ..tflite.metadata import ModelInfo, Provenance

if TYPE_CHECKING:
    from ..models.backend import keras
    from ..training.clip_head import FloatHead

INPUT_SCALE = 1 / 64


def _calibration(windows: NDArray[np.int8]) -> NDArray[np.float32]:
    """Float inputs that contain both ends of the INT8 range: where an end is missing, one value is set to it."""
    chosen = np.array(windows, np.int8)[..., np.newaxis]
    for corner, end in ((0, -128), (-1, 127)):
        if not (chosen == end).any():
            chosen[0].reshape(-1)[corner] = end
    return chosen.astype(np.float32) * np.float32(INPUT_SCALE)


# More than the converter writes of a network within the limits.
_SCRATCH_BYTES = 4 << 20


def _converter(model: keras.Model) -> Any:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from ..models.backend import graph_function, tf

    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="features")
    function = graph_function(lambda features: model(features, training=False))
    # Keras 3's own export leaves READ_VARIABLE operators; frozen constants do not.
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(signature))
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)


@contextmanager
def _scratch_of_libraries() -> Iterator[None]:
    """Lead what libraries make by :mod:`tempfile` inside the block into a temporary folder of ours.

    Raises
    ------
    InputError
        The system's temporary folder cannot be written, or is full.
    """
    before = tempfile.tempdir
    with scratch() as folder:
        tempfile.tempdir = str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


def _converted(converter: Any, name: str) -> bytes:
    require_free(_SCRATCH_BYTES)
    try:
        with _scratch_of_libraries(), discard_stderr():
            return bytes(converter.convert())
    except Exception as error:
        problem = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ToolError(f"TFLite converter on {name}", problem, "use only the layers of the shipped recipes") from error


def _convert(model: keras.Model, inputs: NDArray[np.float32]) -> bytes:
    from ..models.backend import tf

    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[np.newaxis]] for window in inputs)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return _converted(converter, model.name)


def convert_int8(model: keras.Model, inputs: NDArray[np.float32]) -> bytes:
    """Convert any network to full INT8, without the metadata of a recipe's network.

    Parameters
    ----------
    model
        With one input, whose first dimension is the batch.
    inputs
        Calibration data, (n, *input shape): they set the ranges of all activations, the input's included.

    Raises
    ------
    ToolError
        Where the converter fails.
    """
    return object_model.pack(_canonical(_convert(model, inputs), model))


def _canonical(content: bytes, model: keras.Model) -> Any:
    tree = object_model.unpack(content)
    canonicalize.drop_reshapes(tree)
    canonicalize.rename(tree, [layer.name for layer in model.layers])
    return tree


def convert_float(model: keras.Model) -> bytes:
    """Convert a network to float32, with the operators and the tensor names of its INT8 file.

    Raises
    ------
    ToolError
        Where the converter fails.
    """
    return object_model.pack(_canonical(_converted(_converter(model), model.name), model))


def _check_input(tree: Any, name: str) -> None:
    graph = tree.subgraphs[0]
    quantization = graph.tensors[graph.inputs[0]].quantization
    scale, zero_point = float(quantization.scale[0]), int(quantization.zeroPoint[0])
    if (scale, zero_point) != (INPUT_SCALE, 0):
        raise ModelError(
            name,
            f"the converter gave the input scale {scale} and zero point {zero_point}, not 1/64 and 0",
            "use a TensorFlow release that this project supports",
        )


def _check_given(model: keras.Model, calibration: NDArray[np.int8], recipe: Recipe, labels: Sequence[str]) -> None:
    """Check that calibration and labels fit the network."""
    for label in labels:
        if problem := label_problem(label):  # of a run that is older than the data set's own check
            raise ModelError(f"class '{label}'", f"its name {problem}", "rename it in the data and train again")
    if calibration.dtype != np.int8 or calibration.shape[1:] != recipe.input_shape[:2] or not len(calibration):
        raise ModelError(
            model.name,
            f"calibration of {calibration.dtype} {calibration.shape} does not fit the input {recipe.input_shape[:2]}",
            "give INT8 features of the recipe's front end",
        )
    if len(labels) != model.output_shape[-1]:
        raise ModelError(
            model.name, f"{len(labels)} labels for {model.output_shape[-1]} scores", "give one label per score"
        )


def quantize(
    model: keras.Model,
    calibration: NDArray[np.int8],
    recipe: Recipe,
    labels: Sequence[str],
    *,
    dataset: str = "",
    provenance: Provenance | None = None,
    clip_head: FloatHead | None = None,
) -> bytes:
    """Convert a trained network to full INT8.

    Parameters
    ----------
    model
        Built by :func:`scenelet.models.keras_model.build`.
    calibration
        The front end's features, (n, mel bands, frames); they set the ranges of all activations.
    recipe
        Of the network; its front end is stored in the file.
    labels
        Class names in the order of the scores.
    dataset
        Name of the data set.
    provenance
        Which of its clips the network was trained on.
    clip_head
        Fitted to the network, for a recipe with a clip head.

    Returns
    -------
    bytes
        Content of the .tflite file.

    Raises
    ------
    ModelError
        Where calibration or labels do not fit the network.
    ToolError
        Where the converter fails.
    """
    _check_given(model, calibration, recipe, labels)
    tree = _canonical(_convert(model, _calibration(calibration)), model)
    _check_input(tree, model.name)
    info = ModelInfo(
        labels=tuple(labels),
        frontend=recipe.frontend,
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        dataset=dataset,
        learned=provenance,
        limits=recipe.limits.rule,
        silence=recipe.silence_level,
        clip_head=_clip_head(tree, clip_head) if clip_head else None,
    )
    return metadata.attach(object_model.pack(tree), info)


def _clip_head(tree: Any, head: FloatHead) -> ClipHead:
    """The clip head for the INT8 embedding of a converted network."""
    tensors = tree.subgraphs[0].tensors
    embedding = next(tensor.quantization for tensor in tensors if tensor.name in (TENSOR, TENSOR.encode()))
    scale, zero_point = float(embedding.scale[0]), int(embedding.zeroPoint[0])
    return make_clip_head(head.weights, head.bias, head.config.statistics, head.config.windows, scale, zero_point)


def quantize_run(folder: str | Path) -> Path:
    """Convert a finished training run with its own calibration windows; writes its ``model.tflite``.

    Parameters
    ----------
    folder
        Run folder (see :mod:`scenelet.training.run_folder`).

    Returns
    -------
    Path
        Of the .tflite file.

    Raises
    ------
    InputError
        Where the run is not finished or damaged.
    ToolError
        Where the converter fails.
    """
    from ..training import clip_head, run_folder

    request = run_folder.request_of(folder)
    model, calibration = run_folder.load_model(folder), run_folder.load_calibration(folder)
    content = quantize(
        model,
        calibration,
        request.recipe,
        request.labels,
        dataset=request.dataset,
        provenance=run_folder.provenance_of(folder),
        clip_head=clip_head.load(Path(folder), request.recipe),
    )
    path = Path(folder) / run_folder.TFLITE
    write_bytes(path, content)
    return path
