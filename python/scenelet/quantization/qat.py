"""Quantization-aware training (QAT): a finished run's network is fine-tuned with the INT8 network's arithmetic.

It starts from the network that post-training conversion gives. Activation ranges stay as calibration set them. Weights,
biases and the constants of batch normalization are trained and written into the same file. The epoch with the lowest
validation loss is kept; where no epoch improves on the converted network, the file is that of plain conversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from ..config.recipe import Recipe, TrainingConfig
from ..core.files import write_bytes
from ..data.dataset import Dataset
from ..errors import InputError
from ..tflite.reader import read_model
from ..training import clip_head, run_folder
from ..training.augmentation.batches import batch_augmentation
from ..training.checkpoint import State
from ..training.loop import Trainer, Watch, cross_entropy, fit
from ..training.train import RunOptions, load_splits, prepare
from ..training.windows import Windows
from .convert import convert_float, quantize
from .fake_quant import FakeQuantised, network, write_constants


@dataclass(frozen=True)
class QatResult:
    """Result of quantization-aware training.

    Attributes
    ----------
    path
        Of the .tflite file.
    epochs, best_epoch
        Number of epochs, and the epoch that is kept; 0 is the converted network before training.
    log_loss
        Of the validation windows before and after training, nats.
    """

    path: Path
    epochs: int
    best_epoch: int
    log_loss: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """File and losses."""
        before, after = self.log_loss
        return {
            "model": str(self.path),
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "validation_log_loss": {"plain": before, "aware": after},
        }


@dataclass
class _Tuner(Trainer):
    """A trainer that counts the network before training as epoch 0, so that a worse epoch does not replace it."""

    def state(self) -> State:
        state = super().state()
        state.best_loss = self.validate().log_loss
        return state


def _settings(recipe: Recipe) -> TrainingConfig:
    epochs = recipe.quantize.aware_epochs
    update = {
        "epochs": epochs,
        "patience": epochs,
        "learning_rate": recipe.quantize.aware_learning_rate,
        "schedule": "cosine",
        "warmup_epochs": 0,
        "keep": "best",
    }
    return recipe.training.model_copy(update=update)


def fine_tune(folder: str | Path, train: Windows, validation: Windows, watch: Watch | None = None) -> QatResult:
    """Fine-tune a finished run on loaded windows; :func:`quantize_with_qat` loads them.

    Returns
    -------
    QatResult
        With the run's ``model.tflite`` written.

    Raises
    ------
    InputError
        Where the run is not finished or damaged.
    ModelError
        Where the network has an operator that QAT does not support.
    """
    out = Path(folder)
    request = run_folder.request_of(out)
    recipe = request.recipe
    model, calibration = run_folder.load_model(out), run_folder.load_calibration(out)
    provenance = run_folder.provenance_of(out)
    head = clip_head.load(out, recipe)
    plain = quantize(
        model, calibration, recipe, request.labels, dataset=request.dataset, provenance=provenance, clip_head=head
    )
    tuned = network(read_model(plain), read_model(convert_float(model)))
    objective = cross_entropy(recipe.training.label_smoothing)
    trainer = _Tuner(tuned, train, validation, _settings(recipe), objective, batch_augmentation(recipe))
    before = trainer.state().best_loss
    checkpoint = out / f"{run_folder.QAT_PREFIX}{run_folder.CHECKPOINT}"
    state = fit(trainer, checkpoint, watch)
    layer = next(layer for layer in tuned.layers if isinstance(layer, FakeQuantised))
    write_bytes(out / run_folder.TFLITE, write_constants(plain, layer.constants()))
    run_folder.write_history(out, state.history, state.best_epoch, run_folder.QAT_PREFIX)
    checkpoint.unlink()
    return QatResult(out / run_folder.TFLITE, len(state.history), state.best_epoch, (before, state.best_loss))


def quantize_with_qat(folder: str | Path, dataset: Dataset, **options: Unpack[RunOptions]) -> QatResult:
    """Convert a finished run to INT8 with quantization-aware training on the run's own data.

    An interrupted training is resumed after its last whole epoch, to the same result.

    Parameters
    ----------
    folder
        Run folder; its recipe's ``quantize.aware_epochs`` and ``quantize.aware_learning_rate`` apply.
    dataset
        That of the run.
    options
        See :class:`scenelet.training.train.RunOptions`.

    Raises
    ------
    InputError
        Where the run is not finished, or was trained on other windows.
    """
    request = run_folder.request_of(folder)
    recipe, dataset = prepare(request.recipe, dataset)
    data = load_splits(recipe, dataset, options, ("train", "validation"))
    for split, part in data.items():
        if part.sha256 != request.features_sha256.get(split):
            raise InputError(
                folder, f"was trained on another '{split}' split than {dataset.root} has", "give the run's own data set"
            )
    return fine_tune(folder, data["train"], data["validation"], options.get("watch"))
