"""Recipes: typed, validated descriptions of an experiment, from sample rate to export.

A recipe is a TOML file. The shipped recipes are in ``scenelet/recipes``; the path of any other file may be given.
"""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ..errors import RecipeError
from .frontend import FrontendConfig as FrontendConfig
from .network import Block as Block
from .network import CnnConfig as CnnConfig
from .network import InvertedResidual as InvertedResidual
from .network import MobileConfig as MobileConfig
from .network import NetworkConfig
from .network import OneAgainstAllConfig as OneAgainstAllConfig
from .network import Stem as Stem
from .section import Section, describe_error

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


class AugmentationConfig(Section):
    """Data augmentation; each part is off unless it is given.

    Augmentation of waveforms is drawn once for every altered copy of a training clip, before the front end.
    Augmentation of batches is drawn anew every epoch, on the features.

    Attributes
    ----------
    copies
        Altered copies of every training clip.
    balance
        Oversampling: rare groups get more copies, until each has as many clips as the largest. Groups are by "class",
        "device", or both.
    most_copies
        Maximum number of copies of one clip, balancing included.
    pitch_semitones
        Maximum pitch shift, up or down, in semitones; the duration stays.
    stretch
        Range of the tempo: 2 plays twice as fast; the pitch stays.
    shift
        Rotates the clip in time by up to its whole length.
    impulse_response
        Share of the copies that are filtered by a synthetic microphone.
    impulse_response_db
        Standard deviation of its frequency response, dB.
    mixup
        Both parameters of the Beta distribution that two windows are mixed by; 0 is off.
    time_masks, time_mask_frames
        Masks per window, and the maximum number of frames per mask.
    frequency_masks, frequency_mask_bands
        Masks per window, and the maximum number of mel bands per mask.
    mixstyle
        Share of the batches whose windows exchange statistics of each mel band (Freq-MixStyle).
    mixstyle_alpha
        Both parameters of the Beta distribution that the statistics are mixed by.
    seed
        Of the altered copies. It is not the training's seed, so that networks of several seeds share their features.
    """

    copies: Annotated[int, Field(ge=0, le=100)] = 0
    balance: tuple[Literal["class", "device"], ...] = ()
    most_copies: Annotated[int, Field(ge=1, le=100)] = 16
    pitch_semitones: Annotated[float, Field(ge=0, le=12)] = 0.0
    stretch: tuple[Annotated[float, Field(ge=0.5, le=2)], Annotated[float, Field(ge=0.5, le=2)]] = (1.0, 1.0)
    shift: bool = False
    impulse_response: Annotated[float, Field(ge=0, le=1)] = 0.0
    impulse_response_db: Annotated[float, Field(gt=0, le=20)] = 5.0
    mixup: Annotated[float, Field(ge=0)] = 0.0
    time_masks: Annotated[int, Field(ge=0)] = 0
    time_mask_frames: Annotated[int, Field(ge=1)] = 2
    frequency_masks: Annotated[int, Field(ge=0)] = 0
    frequency_mask_bands: Annotated[int, Field(ge=1)] = 16
    mixstyle: Annotated[float, Field(ge=0, le=1)] = 0.0
    mixstyle_alpha: Annotated[float, Field(gt=0)] = 0.3
    seed: Seed = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.stretch[0] > self.stretch[1]:
            raise ValueError(f"stretch {list(self.stretch)} begins above its end")
        if (self.copies or self.balance) and not self.alters:
            raise ValueError("copies and balance need pitch_semitones, stretch, shift or impulse_response")
        if self.alters and not (self.copies or self.balance):
            raise ValueError("pitch_semitones, stretch, shift and impulse_response need copies or balance")
        if self.copies > self.most_copies:
            raise ValueError(f"copies {self.copies} is over most_copies {self.most_copies}")
        return self

    @property
    def alters(self) -> bool:
        """Whether any augmentation of waveforms is on."""
        return bool(self.pitch_semitones or self.shift or self.impulse_response or self.stretch != (1.0, 1.0))


class Recipe(Section):
    """An experiment.

    Attributes
    ----------
    deployable
        Whether the network is meant for a board. If so, the limits are checked before it is trained. Teachers, and
        networks that will be pruned, are not deployable.
    distillation
        Used by ``scenelet distill`` and ``scenelet prune``; by default the published method.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: str = ""
    deployable: bool = True
    frontend: FrontendConfig = FrontendConfig()
    model: NetworkConfig
    training: TrainingConfig = TrainingConfig()
    distillation: DistillationConfig | None = None
    quantize: QuantizeConfig = QuantizeConfig()
    augmentation: AugmentationConfig | None = None

    later: ClassVar[tuple[str, ...]] = ("distillation", "augmentation")

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of the network's input: (mel bands, frames, 1)."""
        return (self.frontend.n_mels, self.frontend.frames, 1)


def shipped() -> list[str]:
    """Names of the shipped recipes."""
    folder = resources.files("scenelet") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def is_recipe(name: str) -> bool:
    """Whether a command's argument names a recipe rather than a model file."""
    return name.endswith(".toml") or name in shipped()


def load(name: str | Path) -> Recipe:
    """Read a recipe by its name or path.

    Raises
    ------
    RecipeError
        Where the file is missing, not TOML or invalid; names the file, the key and the problem.
    """
    try:
        return parse(tomllib.loads(_text(name)), str(name))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(name, f"not TOML: {error}", "correct that line") from None
    except UnicodeDecodeError as error:
        raise RecipeError(name, f"not UTF-8 text at byte {error.start}", "save it as UTF-8") from None
    except OSError as error:
        raise RecipeError(name, f"cannot be read: {error.strerror}", "check the path and its permissions") from None


def _text(name: str | Path) -> str:
    path = Path(name)
    if str(name) in shipped():
        return (resources.files("scenelet") / "recipes" / f"{name}.toml").read_text("utf-8")
    if path.suffix == ".toml" and path.is_file():
        return path.read_text("utf-8")
    raise RecipeError(name, "no such recipe", f"give a path to a .toml file or one of: {', '.join(shipped())}")


def parse(values: dict[str, Any], source: str) -> Recipe:
    """Validate a recipe's values; ``source`` names it in errors.

    Types are strict, as JSON has them: a list may become a tuple and a whole number a float, but neither a boolean nor
    a string becomes a number.

    Raises
    ------
    RecipeError
        Where a value is invalid; names the key and the problem.
    """
    try:
        recipe = Recipe.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise RecipeError(source, *describe_error(error)) from None
    require_pools(recipe, source)
    return recipe


def changed(recipe: Recipe, part: str, **values: Any) -> Recipe:
    """Change values of a part of a recipe, validated as in a file (``model_copy`` does not validate).

    Parameters
    ----------
    part
        Name of a section: "training", "model", ...
    values
        By key, with TOML's types.

    Raises
    ------
    RecipeError
        Where a value is invalid; names the recipe with its new values, the key and the problem.
    """
    content = recipe.model_dump(mode="json")
    content[part] = {**content[part], **values}
    new = ", ".join(f"{part}.{name} = {value}" for name, value in values.items())
    return parse(content, f"recipe {recipe.name} with {new}")


def require_pools(recipe: Recipe, source: str) -> None:
    """Check that every block's pool fits its feature map; ``source`` names the recipe in errors.

    Raises
    ------
    RecipeError
        Where a pool is larger than its map; names the block.
    """
    if isinstance(recipe.model, MobileConfig):  # has no pools, and padding "same" always leaves one output
        return
    inside, chain = (
        ("model.member", recipe.model.member)
        if isinstance(recipe.model, OneAgainstAllConfig)
        else ("model", recipe.model)
    )
    height, width, _ = recipe.input_shape
    for number, block in enumerate(chain.blocks):
        if block.pool[0] > height or block.pool[1] > width:
            raise RecipeError(
                source,
                f"key '{inside}.blocks.{number}.pool': {list(block.pool)} is larger than its map of {height} x {width}",
                "use a smaller pool or more mel bands and frames",
            )
        height, width = height // block.pool[0], width // block.pool[1]
