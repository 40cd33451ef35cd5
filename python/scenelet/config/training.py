"""Settings of training, distillation and quantization in a recipe."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .section import Section

# Members of a teacher and networks of a fold count on from a seed, and all must stay below 2**32.
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class TrainingConfig(Section):
    """Training; all stages of distillation use these settings, too.

    Attributes
    ----------
    validation_fraction
        Part of the training recordings held out for early stopping where the data set has no validation split.
    patience
        Epochs without a lower validation loss before training stops; the best weights are kept.
    seed
        Of weights, order, dropout and augmentation of batches.
    split_seed
        Of the validation split, by default ``seed``. With it, networks of several seeds share one validation split.
    schedule
        "constant": ``learning_rate`` throughout. "cosine": half a cosine from there to nearly 0 at ``epochs``.
    warmup_epochs
        First epochs, in which the rate rises to ``learning_rate`` in equal steps.
    keep
        Weights that the network ends with: of the "best" epoch by validation loss, or of the "last" of ``epochs``. With
        "last", ``patience`` does not stop training.
    """

    epochs: Annotated[int, Field(ge=1)] = 200
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=1)] = 20
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    seed: Seed = 0
    split_seed: Seed | None = None
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    keep: Literal["best", "last"] = "best"

    later: ClassVar[tuple[str, ...]] = ("schedule", "warmup_epochs", "split_seed", "keep")

    @property
    def validation_seed(self) -> int:
        """Seed of the validation split."""
        return self.seed if self.split_seed is None else self.split_seed

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs {self.warmup_epochs} leaves nothing of {self.epochs} epochs")
        return self


class DistillationConfig(Section):
    """Knowledge distillation; epochs, batches and patience of every stage are those of ``training``.

    Attributes
    ----------
    method
        "response": the teacher's softened scores. "relational": distances and angles between windows. "hint": FitNets,
        the student's embedding is regressed onto the teacher's, then "response". "rrs": "relational", then "response".
    alpha
        Weight of cross entropy, that of the teacher's term being 1 - alpha.
    temperature
        Softens both networks' scores in the response stage.
    relational_weight
        Factor of the relational term, a sum weighted by ``distance_weight`` and ``angle_weight``.
    relational_on
        Vectors whose distances and angles are compared: the "embedding" (before the last layer), or "softmax" outputs.
    teacher_hears
        Input of the teacher where batches are augmented. "batch": the augmented batch, as the student's; the teacher
        runs online. "windows": the windows before augmentation of batches, altered copies among them; the teacher's
        outputs are cached, and mixup mixes them with the windows.
    """

    method: Literal["response", "relational", "hint", "rrs"] = "rrs"
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.57
    temperature: Annotated[float, Field(gt=0)] = 3.0
    relational_weight: Annotated[float, Field(ge=0)] = 20.0
    distance_weight: Annotated[float, Field(ge=0)] = 1.0
    angle_weight: Annotated[float, Field(ge=0)] = 2.0
    relational_on: Literal["embedding", "softmax"] = "embedding"
    teacher_hears: Literal["batch", "windows"] = "batch"

    later: ClassVar[tuple[str, ...]] = ("teacher_hears",)


class QuantizeConfig(Section):
    """Full INT8 conversion.

    Attributes
    ----------
    calibration_windows
        Windows of the training split, stratified by class, that set the activation ranges.
    aware_epochs, aware_learning_rate
        Of quantization-aware training (``scenelet quantize --qat``); the rate falls by a cosine.
    """

    calibration_windows: Annotated[int, Field(ge=1)] = 400
    aware_epochs: Annotated[int, Field(ge=1)] = 10
    aware_learning_rate: Annotated[float, Field(gt=0)] = 1e-4

    later: ClassVar[tuple[str, ...]] = ("aware_epochs", "aware_learning_rate")
