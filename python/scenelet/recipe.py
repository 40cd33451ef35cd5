"""What an experiment is: one typed, validated description, from sample rate to export.

A recipe is a TOML file. The shipped ones lie in ``scenelet/recipes``; any path will do.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from .errors import RecipeError
from .network import KINDS, NetworkConfig, Section
from .network import Block as Block
from .network import CnnConfig as CnnConfig
from .network import InvertedResidual as InvertedResidual
from .network import MobileConfig as MobileConfig
from .network import OneAgainstAllConfig as OneAgainstAllConfig
from .network import Stem as Stem

# From any higher capture rate; the filters are in scenelet.frontend.decimator.
_DECIMATED_RATES = (8000, 16000)


def _hash(section: BaseModel) -> str:
    canonical = json.dumps(section.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class FrontendConfig(Section):
    """The log-mel front end; travels inside the .tflite, and its hash in the firmware.

    Attributes
    ----------
    sample_rate
        Hz.
    n_fft, win_length, hop_length
        Samples. ``win_length`` (default ``n_fft``) is centred in ``n_fft`` like librosa's.
    n_mels, fmin, fmax
        Slaney mel bands between ``fmin`` and ``fmax`` Hz (default: half the sample rate).
    grid
        "clip": librosa's centred frames of one clip, zero padded. "continuous": one frame every hop, never padded.
    clip_seconds
        Length of what one inference hears.
    sample_bits
        16 or 24: width of the samples up to the block exponent.
    lo_db, hi_db
        Log-mel power, in dB, that becomes INT8 -128 and +127; one number, or one a band.
    capture_rate
        Hz of a microphone whose samples the device decimates (docs/FRONTEND.md); training then hears through the same
        filters. None: audio comes at ``sample_rate``.
    slide
        Columns by which one window follows another, 1 to all, cut from one continuous grid; for grid "continuous"
        only. None: windows follow each other without overlap. ``capture_rate`` and ``slide`` are left out of JSON and
        hash where they are None, so that models made before they existed keep their hashes.
    """

    sample_rate: Literal[8000, 16000, 32000] = 8000
    n_fft: Literal[256, 512, 1024, 2048, 4096] = 2048
    win_length: Annotated[int, Field(ge=16)] | None = None
    hop_length: Annotated[int, Field(ge=16)] = 1024
    n_mels: Annotated[int, Field(ge=16, le=256)] = 140
    fmin: Annotated[float, Field(ge=0)] = 0.0
    fmax: float | None = None
    window: Literal["hann", "hamming"] = "hann"
    grid: Literal["clip", "continuous"] = "clip"
    clip_seconds: Annotated[float, Field(gt=0, le=10)] = 1.0
    sample_bits: Literal[16, 24] = 24
    lo_db: float | tuple[float, ...] = -60.0
    hi_db: float | tuple[float, ...] = 20.0
    capture_rate: Literal[16000, 32000, 48000] | None = None
    slide: Annotated[int, Field(ge=1)] | None = None

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        shown: dict[str, Any] = handler(self)
        for name in ("capture_rate", "slide"):
            if getattr(self, name) is None:
                shown.pop(name, None)
        return shown

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.capture_rate is not None and (
            self.capture_rate <= self.sample_rate or self.sample_rate not in _DECIMATED_RATES
        ):
            raise ValueError(f"capture_rate {self.capture_rate} does not lead to {self.sample_rate} Hz")
        if self.hop_length > self.n_fft:
            raise ValueError(f"hop_length {self.hop_length} is over n_fft {self.n_fft}")
        if self.window_samples > self.n_fft:
            raise ValueError(f"win_length {self.win_length} is over n_fft {self.n_fft}")
        if not self.fmin < self.top_frequency <= self.sample_rate / 2:
            raise ValueError(f"fmin {self.fmin} < fmax {self.top_frequency} <= {self.sample_rate / 2} does not hold")
        if self.clip_samples != self.clip_seconds * self.sample_rate:
            raise ValueError(f"clip_seconds {self.clip_seconds} is not a whole number of samples")
        if self.frames < 1:
            raise ValueError(f"a clip of {self.clip_samples} samples holds no frame of {self.n_fft}")
        if self.slide is not None and (self.grid != "continuous" or self.slide > self.frames):
            raise ValueError(f"slide {self.slide} needs the continuous grid and at most {self.frames} columns")
        for name, value in (("lo_db", self.lo_db), ("hi_db", self.hi_db)):
            if isinstance(value, tuple) and len(value) != self.n_mels:
                raise ValueError(f"{name} has {len(value)} values for {self.n_mels} bands")
        if any(lo >= hi for lo, hi in zip(self.lo_by_band, self.hi_by_band, strict=True)):
            raise ValueError("lo_db must be below hi_db in every band")
        return self

    @property
    def top_frequency(self) -> float:
        """Upper edge of the mel bands, Hz."""
        return self.sample_rate / 2 if self.fmax is None else self.fmax

    @property
    def window_samples(self) -> int:
        """Length of the window, samples."""
        return self.win_length or self.n_fft

    @property
    def clip_samples(self) -> int:
        """Samples that one inference hears."""
        return round(self.clip_seconds * self.sample_rate)

    @property
    def frames(self) -> int:
        """Columns of the feature map."""
        if self.grid == "clip":
            return 1 + self.clip_samples // self.hop_length
        return max(0, 1 + (self.clip_samples - self.n_fft) // self.hop_length)

    @property
    def live_columns(self) -> int:
        """Columns by which a live window of the continuous grid follows the one before it."""
        return self.slide or self.frames

    @property
    def lo_by_band(self) -> tuple[float, ...]:
        """``lo_db`` of every band."""
        return self.lo_db if isinstance(self.lo_db, tuple) else (self.lo_db,) * self.n_mels

    @property
    def hi_by_band(self) -> tuple[float, ...]:
        """``hi_db`` of every band."""
        return self.hi_db if isinstance(self.hi_db, tuple) else (self.hi_db,) * self.n_mels

    @property
    def sha256(self) -> str:
        """Hash of the settings; a device and a host that disagree on it do not hear the same."""
        return _hash(self)


class TrainingConfig(Section):
    """Plain training.

    Attributes
    ----------
    validation_fraction
        Part of the training recordings held out for early stopping where the data set has no validation split.
    patience
        Epochs without a better validation loss before training stops; the best weights are kept.
    seed
        Of weights, order, dropout and augmentation of batches.
    split_seed
        Of the validation split, by default ``seed``: networks of several seeds can be stopped on the same recordings.
    schedule
        "constant": ``learning_rate`` throughout. "cosine": from there to nearly 0 at ``epochs``, half a cosine down.
    warmup_epochs
        Epochs in which the rate climbs to ``learning_rate`` first, in equal steps.
    keep
        Weights that the network ends with: of the "best" epoch by validation loss, or of the "last" of ``epochs``,
        which ``patience`` then does not cut short: a cosine needs no choice of epoch.

    ``split_seed``, ``schedule``, ``warmup_epochs`` and ``keep`` are left out of JSON and hash where they are the
    defaults, so that earlier recipes keep their hashes.
    """

    epochs: Annotated[int, Field(ge=1)] = 200
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=1)] = 20
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    seed: Annotated[int, Field(ge=0)] = 0
    split_seed: Annotated[int, Field(ge=0)] | None = None
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    keep: Literal["best", "last"] = "best"

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        added = {"schedule": "constant", "warmup_epochs": 0, "split_seed": None, "keep": "best"}
        return {name: value for name, value in handler(self).items() if value != added.get(name, ...)}

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
    """What a student learns from a teacher; epochs, batches and patience of every stage are those of ``training``.

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
        Factor of the relational term; within it ``distance_weight`` and ``angle_weight`` count.
    relational_on
        Whose distances and angles: those of "embedding" (before the last layer), or of "softmax" outputs.
    """

    method: Literal["response", "relational", "hint", "rrs"] = "rrs"
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.57
    temperature: Annotated[float, Field(gt=0)] = 3.0
    relational_weight: Annotated[float, Field(ge=0)] = 20.0
    distance_weight: Annotated[float, Field(ge=0)] = 1.0
    angle_weight: Annotated[float, Field(ge=0)] = 2.0
    relational_on: Literal["embedding", "softmax"] = "embedding"


class QuantizeConfig(Section):
    """Full INT8 conversion; ``calibration_windows`` of the training split, stratified by class, set the ranges.

    ``aware_epochs`` and ``aware_learning_rate`` are for ``scenelet quantize --aware``; the rate falls by a cosine. Left
    out of JSON and hash where they are the defaults.
    """

    calibration_windows: Annotated[int, Field(ge=1)] = 400
    aware_epochs: Annotated[int, Field(ge=1)] = 10
    aware_learning_rate: Annotated[float, Field(gt=0)] = 1e-4

    @model_serializer(mode="wrap")
    def _without_default_awareness(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        added = {"aware_epochs": 10, "aware_learning_rate": 1e-4}
        return {name: value for name, value in handler(self).items() if value != added.get(name, ...)}


class AugmentationConfig(Section):
    """What training hears beside the recordings as they are; each part is off unless it is given.

    Parts of the waveform are drawn once for every altered copy of a training clip and go through the front end; parts
    of the batch are drawn anew every epoch, on the features.

    Attributes
    ----------
    copies
        Altered copies of every training clip.
    balance
        Give rare groups more copies, until each has as many clips as the largest: by "class", "device", or both.
    most_copies
        Copies of one clip, balancing included.
    pitch_semitones
        Pitch moves by up to so much either way, duration stays.
    stretch
        Range of the tempo: 2 plays twice as fast, pitch stays.
    shift
        Turns the clip round by up to its whole length.
    impulse_response
        Share of the copies that a synthetic microphone hears.
    impulse_response_db
        Standard deviation of its response, dB.
    mixup
        Both parameters of the Beta distribution that two windows are mixed by; 0 is off.
    time_masks, time_mask_frames
        Masks a window, and the most frames of one.
    frequency_masks, frequency_mask_bands
        Masks a window, and the most mel bands of one.
    mixstyle
        Share of the batches whose windows exchange statistics of each mel band (Freq-MixStyle).
    mixstyle_alpha
        Both parameters of the Beta distribution that the statistics are mixed by.
    seed
        Of the altered copies; apart from the training's seed, so that networks of several seeds share their features.
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
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.stretch[0] > self.stretch[1]:
            raise ValueError(f"stretch {list(self.stretch)} begins above its end")
        if (self.copies or self.balance) and not self.alters:
            raise ValueError("copies and balance want pitch_semitones, stretch, shift or impulse_response")
        if self.alters and not (self.copies or self.balance):
            raise ValueError("pitch_semitones, stretch, shift and impulse_response want copies or balance")
        if self.copies > self.most_copies:
            raise ValueError(f"copies {self.copies} is over most_copies {self.most_copies}")
        return self

    @property
    def alters(self) -> bool:
        """Whether a part of the waveform is on."""
        return bool(self.pitch_semitones or self.shift or self.impulse_response or self.stretch != (1.0, 1.0))


class Recipe(Section):
    """An experiment.

    Attributes
    ----------
    deployable
        Whether the network is meant for a board. If so, it is held to the limits before it is trained; a teacher, or
        a network that is still to be pruned, is not.
    distillation
        Used by ``scenelet distill`` and ``scenelet prune``; left out, it is the published method.
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

    @model_serializer(mode="wrap")
    def _given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out sections that are not there: a recipe's hash does not change when scenelet learns a new one."""
        return {name: value for name, value in handler(self).items() if value is not None}

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Mel bands, frames, 1."""
        return (self.frontend.n_mels, self.frontend.frames, 1)

    @property
    def sha256(self) -> str:
        """Hash of everything the recipe says; a section that is left out does not change it."""
        return _hash(self)


def shipped() -> list[str]:
    """Names of the recipes that come with scenelet."""
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
        Naming the file, the key and what is wrong with it.
    """
    path = Path(name)
    if str(name) in shipped():
        text = (resources.files("scenelet") / "recipes" / f"{name}.toml").read_text("utf-8")
    elif path.suffix == ".toml" and path.is_file():
        text = path.read_text("utf-8")
    else:
        raise RecipeError(name, "no such recipe", f"give a path to a .toml file or one of: {', '.join(shipped())}")
    try:
        return parse(tomllib.loads(text), str(name))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(name, f"not TOML: {error}", "correct that line") from None


def parse(values: dict[str, Any], source: str) -> Recipe:
    """Validate a recipe's values; ``source`` names it in errors."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if part not in KINDS)
        if first["type"] == "extra_forbidden":
            raise RecipeError(source, f"unknown key '{key}'", "remove it or correct its spelling") from None
        raise RecipeError(source, f"key '{key or 'recipe'}': {first['msg']}", "correct its value") from None
