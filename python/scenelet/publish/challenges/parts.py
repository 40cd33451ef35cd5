"""The models of an entry: what a run folder, or a model's own metadata, say of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from ...config import recipe as recipes
from ...config.recipe import AugmentationConfig, MobileConfig, Recipe
from ...core.files import is_there
from ...core.json_files import Checked, checked, read_object
from ...errors import InputError
from ...evaluation.evaluate import model_info
from ...graph import Graph
from ...graph.cost import Cost
from ...tflite.metadata import ModelInfo, cost_of, read
from ...tflite.reader import read_model

MODEL, REQUEST = "model.tflite", "run.json"
_FINISH = "give a run that `scenelet quantize` converted, or a .tflite"


class _Request(Checked):
    recipe: dict[str, Any]
    sources: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A model of an entry.

    Attributes
    ----------
    path
        As it was given: a run folder or a .tflite.
    model
        The .tflite.
    recipe
        Of its run; None for a .tflite without a run folder.
    sources
        Roles of the networks that it was made from: "teacher", "pruned", "start".
    parameters
        Number of constants of the network.
    """

    path: Path
    model: Path
    info: ModelInfo
    graph: Graph
    recipe: Recipe | None = None
    sources: tuple[str, ...] = ()

    @property
    def cost(self) -> Cost:
        """Cost of the network."""
        return cost_of(self.graph, self.info)

    @property
    def parameters(self) -> int:
        """Number of the network's constants."""
        used = {index for operator in self.graph.operators for index in operator.inputs if index >= 0}
        return sum(self.graph.tensors[index].elements for index in used if self.graph.tensors[index].constant)

    @property
    def percent(self) -> int | None:
        """Published part of the training split that it was trained on; None for all of it, or where unknown."""
        return self.info.learned.percent if self.info.learned else None

    @property
    def devices(self) -> tuple[str, ...]:
        """Devices whose clips it was trained on; empty for all."""
        return self.info.learned.devices if self.info.learned else ()


def read_part(path: Path) -> Part:
    """Read a run folder, or a .tflite file, whose run folder is used where it lies in one.

    Raises
    ------
    InputError
        Where it holds no model.
    ModelError
        Where the model has no metadata of scenelet.
    """
    model = path / MODEL if path.is_dir() else path
    if not is_there(model):
        raise InputError(path, f"holds no {MODEL}" if path.is_dir() else "no such file", _FINISH)
    graph = read_model(model)
    info = model_info(read(model.read_bytes(), model), model)
    run = model.parent / REQUEST
    if model.name != MODEL or not is_there(run):
        return Part(path, model, info, graph)
    held = checked(_Request, read_object(run, "train again"), run, "train again")
    return Part(path, model, info, graph, recipes.parse(held.recipe, str(run)), tuple(sorted(held.sources)))


_AUGMENTATIONS = {
    "pitch_semitones": "pitch shifting",
    "stretch": "time stretching",
    "shift": "time shifting",
    "impulse_response": "simulated device impulse responses",
    "impulse_response_folder": "recorded device impulse responses",
    "mixup": "mixup",
    "time_masks": "time masking",
    "frequency_masks": "frequency masking",
    "mixstyle": "Freq-MixStyle",
    "balance": "oversampling",
    "power_mix": "mixing in the power domain",
    "gain_db": "random gain",
    "tilt_db": "spectral tilt",
    "device_curve_db": "simulated device frequency responses",
    "offset_frames": "random time offset",
    "warp_semitones": "pitch warping",
    "warp_tempo": "tempo warping",
}
# Keys that only say how much, how many or how.
_AMOUNTS = {
    "copies",
    "most_copies",
    "impulse_response_db",
    "time_mask_frames",
    "frequency_mask_bands",
    "mixstyle_alpha",
    "seed",
}


def augmentations(part: Part) -> str:
    """Augmentations of a part's recipe, by name; "none", or "unknown" where its run is not given."""
    if part.recipe is None:
        return "unknown"
    config = part.recipe.augmentation or AugmentationConfig()
    plain = AugmentationConfig()
    instead = {"impulse_response"} if config.impulse_response_folder else set()
    used = [
        _AUGMENTATIONS.get(name, name.replace("_", " "))
        for name in type(config).model_fields
        if name not in _AMOUNTS | instead and getattr(config, name) != getattr(plain, name)
    ]
    return ", ".join(used) or "none"


def architecture(part: Part) -> str:
    """Kind of network, in the words of the challenges."""
    mobile = part.recipe is not None and isinstance(part.recipe.model, MobileConfig)
    return "CNN, inverted residuals" if mobile else "CNN"


def _said_by_sources(parts: Sequence[Part], words: dict[str, str]) -> Iterator[str]:
    for role, said in words.items():
        if any(role in part.sources for part in parts):
            yield said


def compression(parts: Sequence[Part]) -> str:
    """Methods that made the networks small."""
    words = {"pruned": "filter pruning", "teacher": "knowledge distillation"}
    return ", ".join(["weight and activation quantization (INT8)", *_said_by_sources(parts, words)])


def pipeline(parts: Sequence[Part]) -> str:
    """Stages from training to the INT8 network."""
    taught = any("teacher" in part.sources for part in parts)
    words = {"teacher": "knowledge distillation", "pruned": "pruning and fine-tuning", "start": "fine-tuning"}
    first = ["training of the teacher"] if taught else ["training"]
    return ", ".join([*first, *_said_by_sources(parts, words), "INT8 conversion"])


def adaptations(parts: Sequence[Part]) -> str:
    """What differs between the models beyond their training clips: recipes, or settings of one recipe."""
    names = list(dict.fromkeys(part.info.recipe for part in parts))
    if len(names) > 1:
        return f"recipes {', '.join(names)}"
    return "none" if len({part.info.recipe_sha256 for part in parts}) == 1 else f"settings of {names[0]}"


def description(first: Part, parts: Sequence[Part], *, external: bool) -> dict[str, str]:
    """Fields of a system's description that the challenges of DCASE share; ``first`` stands for networks alike."""
    return {
        "input_sampling_rate": f"{first.info.frontend.sample_rate / 1000:g}kHz",
        "acoustic_features": "log-mel energies",
        "data_augmentation": augmentations(first),
        "machine_learning_method": architecture(first),
        "external_data_usage": "external data" if external else "none",
        "complexity_management": compression(parts),
        "pipeline": pipeline(parts),
        "framework": "keras/tensorflow",
    }
