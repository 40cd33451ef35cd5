"""The search space: the front end ("representation") and the network ("architecture").

A point of the space is a dictionary of plain values; :func:`recipe_at` turns it into a recipe.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from ...config import recipe as recipes
from ...config.recipe import CnnConfig, Recipe
from ...errors import InputError, LimitExceeded, RecipeError
from ...frontend.tables import make_tables
from ...graph import limits
from ...graph.cost import Cost
from ...models.architecture import cost_of_recipe

Part = Literal["representation", "architecture"]
PARTS: tuple[Part, ...] = ("representation", "architecture")
Values = dict[str, Any]

_MOST_BLOCKS = 5


def parts_named(text: str) -> tuple[Part, ...]:
    """Return the part of this name as a tuple, or all parts for "".

    Raises
    ------
    InputError
        For another name.
    """
    chosen = tuple(part for part in PARTS if text in ("", part))
    if not chosen:
        raise InputError(f"part '{text}'", "is not one of the search's", f"use one of: {', '.join(PARTS)}")
    return chosen


def declare(space: Any, parts: tuple[Part, ...] = PARTS) -> None:
    """Declare the parts of the space in a ``keras_tuner.HyperParameters``."""
    if "representation" in parts:
        space.Choice("sample_rate", [8000, 16000, 32000])
        space.Choice("n_fft", [256, 512, 1024, 2048])
        space.Choice("hop_percent", [25, 50, 75])
        space.Int("n_mels", 20, 256, step=4)
    if "architecture" in parts:
        space.Int("blocks", 2, _MOST_BLOCKS)
        for number in range(1, _MOST_BLOCKS + 1):
            space.Int(f"filters{number}", 8, 40, step=4)
            space.Choice(f"kernel_mel{number}", [3, 5, 7])
            space.Choice(f"kernel_frame{number}", [3, 5, 7])
            space.Choice(f"pool_mel{number}", [1, 2])
            space.Choice(f"pool_frame{number}", [1, 2])
            space.Choice(f"pool_type{number}", ["max", "average"])
            space.Choice(f"dropout{number}", [0.0, 0.1, 0.2, 0.3])
        space.Int("units", 32, 256, step=32)
        space.Choice("head_dropout", [0.0, 0.2, 0.4])


def _frontend(values: Values) -> dict[str, Any]:
    return {
        "sample_rate": values["sample_rate"],
        "n_fft": values["n_fft"],
        "win_length": None,
        "hop_length": values["n_fft"] * values["hop_percent"] // 100,
        "n_mels": values["n_mels"],
    }


def _block(values: Values, number: int) -> dict[str, Any]:
    return {
        "filters": values[f"filters{number}"],
        "kernel": [values[f"kernel_mel{number}"], values[f"kernel_frame{number}"]],
        "order": "conv_bn_relu",
        "pool": [values[f"pool_mel{number}"], values[f"pool_frame{number}"]],
        "pool_type": values[f"pool_type{number}"],
        "dropout": values[f"dropout{number}"],
    }


def recipe_at(base: Recipe, values: Values) -> Recipe:
    """Turn a point of the space into a recipe; all other settings are the base's.

    Raises
    ------
    RecipeError
        Where the point is not a valid front end or network.
    """
    content = base.model_dump(mode="json")
    content["name"] = f"{base.name.removesuffix('_tuned')}_tuned"
    content["description"] = f"Found by `scenelet tune {base.name}`"
    if "n_mels" in values:
        content["frontend"] |= _frontend(values)
    if "blocks" in values:
        content["model"] = {
            "kind": "cnn",
            "classes": base.model.classes,
            "blocks": [_block(values, number) for number in range(1, values["blocks"] + 1)],
            "head": {"pooling": "average", "units": values["units"], "dropout": values["head_dropout"]},
        }
    return recipes.parse(content, f"{base.name} at {_described(values)}")


def _described(values: Values) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()) if not name.startswith("tuner/"))


def cost_at(base: Recipe, values: Values) -> Cost:
    """Count the cost of a point, before any features or weights are computed.

    Raises
    ------
    RecipeError
        Where it is not a valid front end or network.
    LimitExceeded
        Where it is over a limit.
    """
    recipe = recipe_at(base, values)
    cost = cost_of_recipe(recipe)
    limits.require(cost, f"recipe {recipe.name}", limits.of_recipe(recipe))
    make_tables(recipe.frontend)
    return cost


def rejection_reason(base: Recipe, values: Values) -> str:
    """Why a point is invalid; "" where it is valid."""
    try:
        cost_at(base, values)
    except (RecipeError, LimitExceeded) as error:
        return error.problem
    return ""


def to_toml(recipe: Recipe) -> str:
    """Write a recipe as a file that :func:`scenelet.config.recipe.load` reads back equal."""
    if not isinstance(recipe.model, CnnConfig):
        raise RecipeError(recipe.name, "is not a plain chain of convolutions", "search from one that is")
    top: list[str] = []
    sections: list[str] = []
    for name, value in recipe.model_dump(mode="json", exclude_none=True).items():
        if isinstance(value, dict):
            sections += ["", f"[{name}]", *(f"{key} = {_toml(inner)}" for key, inner in value.items())]
        else:
            top.append(f"{name} = {_toml(value)}")
    return "\n".join([*top, *sections]) + "\n"


def _toml(value: Any) -> str:
    """Write a value as TOML with inline tables; strings, numbers and booleans are written as in JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value)
