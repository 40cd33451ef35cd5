"""Recipes: typed, validated descriptions of an experiment, from sample rate to export.

A recipe is a TOML file. The shipped recipes are in ``scenelet/recipes``; the path of any other file may be given.
"""

from __future__ import annotations

import codecs
import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationError, model_validator

from ..core.files import is_there, read_bytes
from ..errors import RecipeError
from .augmentation import AugmentationConfig as AugmentationConfig
from .clip_head import ClipHeadConfig as ClipHeadConfig
from .frontend import FrontendConfig as FrontendConfig
from .limits import LimitsConfig as LimitsConfig
from .network import Block as Block
from .network import CnnConfig as CnnConfig
from .network import InvertedResidual as InvertedResidual
from .network import MobileConfig as MobileConfig
from .network import NetworkConfig
from .network import OneAgainstAllConfig as OneAgainstAllConfig
from .network import Stem as Stem
from .section import Section, describe_error
from .silence import SilenceConfig as SilenceConfig
from .silence import silence_level
from .training import DistillationConfig as DistillationConfig
from .training import QuantizeConfig as QuantizeConfig
from .training import TrainingConfig as TrainingConfig


class Recipe(Section):
    """An experiment.

    Attributes
    ----------
    deployable
        Whether the network is meant for a board. If so, the limits are checked before it is trained. Teachers, and
        networks that will be pruned, are not deployable.
    limits
        The limits that the network is held to; by default the challenge's.
    distillation
        Used by ``scenelet distill`` and ``scenelet prune``; by default the published method.
    silence
        Which windows are silent; by default none.
    clip_head
        A layer that classifies the last windows together; by default a clip's answer is the mean over its windows.
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
    limits: LimitsConfig = LimitsConfig()
    silence: SilenceConfig | None = None
    clip_head: ClipHeadConfig | None = None

    later: ClassVar[tuple[str, ...]] = ("distillation", "augmentation", "limits", "silence", "clip_head")

    @model_validator(mode="after")
    def _silence_is_a_feature(self) -> Self:
        _ = self.silence_level
        return self

    @model_validator(mode="after")
    def _clip_head_has_an_embedding(self) -> Self:
        if self.clip_head is not None and isinstance(self.model, OneAgainstAllConfig):
            raise ValueError("clip_head is for one network, not for a teacher of kind 'one_against_all'")
        if self.clip_head is not None and not isinstance(self.model, OneAgainstAllConfig):
            classes, units = self.model.classes, self.model.head.units
            if classes > 256 or units > 1024:
                raise ValueError(f"clip_head takes at most 256 classes and 1024 units, not {classes} and {units}")
        return self

    @property
    def silence_level(self) -> int | None:
        """Lowest INT8 feature of a window that is not silent; None where no window is silent."""
        return None if self.silence is None else silence_level(self.silence, self.frontend)

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
    InputError
        Where the system does not let it be read.
    """
    return parse(read_toml(name), str(name))


def read_toml(name: str | Path) -> dict[str, Any]:
    """Read the values of a recipe, or of another TOML file, without a look at them; errors as of :func:`load`."""
    try:
        return tomllib.loads(_decoded(name, _content(name)))
    except RecursionError:
        raise RecipeError(name, "nested too deeply", "write the keys that docs/TRAINING.md lists") from None
    except ValueError as error:  # TOMLDecodeError is one, and an endless number is another
        raise RecipeError(name, f"not TOML: {error}", "correct that line") from None


# The marks at the beginning of a text that is not UTF-8; the longer ones first, since one begins like another.
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def _decoded(name: str | Path, content: bytes) -> str:
    """Text of a UTF-8 file, with or without a byte order mark."""
    other = next((encoding for mark, encoding in _OTHER_ENCODINGS if content.startswith(mark)), "")
    if not other and b"\0" in content:  # TOML allows no such character
        other = "binary or UTF-16"
    if other:
        raise RecipeError(name, f"is {other}, not UTF-8 text", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(name, f"not UTF-8 text at byte {error.start}, line {line}", "save it as UTF-8") from None


def _content(name: str | Path) -> bytes:
    path = Path(name)
    if str(name) in shipped():
        return (resources.files("scenelet") / "recipes" / f"{name}.toml").read_bytes()
    if path.suffix == ".toml" and is_there(path):
        return read_bytes(path)
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
