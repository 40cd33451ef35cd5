"""Recipes: typed, validated descriptions of an experiment, from sample rate to export.

A recipe is a TOML file. The shipped recipes are in ``scenelet/recipes``; the path of any other file may be given.
"""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError

from ..errors import RecipeError
from .augmentation import AugmentationConfig as AugmentationConfig
from .frontend import FrontendConfig as FrontendConfig
from .network import Block as Block
from .network import CnnConfig as CnnConfig
from .network import InvertedResidual as InvertedResidual
from .network import MobileConfig as MobileConfig
from .network import NetworkConfig
from .network import OneAgainstAllConfig as OneAgainstAllConfig
from .network import Stem as Stem
from .section import Section, describe_error
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
