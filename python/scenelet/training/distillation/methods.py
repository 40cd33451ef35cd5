"""Methods of distillation by name, with their stages; without TensorFlow, so that a slip is named at once."""

from __future__ import annotations

from ...config.recipe import DistillationConfig, Recipe
from ...errors import InputError

STAGES = {
    "response": ("response",),
    "relational": ("relational",),
    "hint": ("hint", "response"),
    "rrs": ("relational", "response"),
}


def method_config(method: str) -> DistillationConfig:
    """Published settings of a method.

    Raises
    ------
    InputError
        Where there is no such method.
    """
    if method not in STAGES:
        raise InputError(f"method {method}", "is not known", f"give one of: {', '.join(STAGES)}")
    return DistillationConfig.model_validate({"method": method})


def with_method(recipe: Recipe, method: str) -> Recipe:
    """Change the method of a recipe and keep its other settings; raises as :func:`method_config`."""
    config = recipe.distillation or DistillationConfig()
    update = {"method": method_config(method).method}
    return recipe.model_copy(update={"distillation": config.model_copy(update=update)})
