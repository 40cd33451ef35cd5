"""Base class of all parts of a recipe: hashing, and error messages."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer
from pydantic_core import ErrorDetails


class Section(BaseModel):
    """Part of a recipe: immutable, and without unknown keys.

    Attributes
    ----------
    later
        Keys that were added after recipes and models had been published without them. They are left out of JSON and
        hash where they have their defaults, so that older recipes and models keep their hashes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        unused = {name for name in self.later if getattr(self, name) == fields[name].default}
        return {name: value for name, value in handler(self).items() if name not in unused}

    @property
    def sha256(self) -> str:
        """SHA-256 of all values of the section, as canonical JSON."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


# pydantic's errors in the words of a recipe's author.
_MESSAGES = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "literal_error": "must be one of {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have {max_length} or fewer entries",
    "string_pattern_mismatch": "must match {pattern}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "value_error": "{error}",
}
_CHOICE = {"union_tag_invalid", "union_tag_not_found"}


def _rank(error: ErrorDetails) -> tuple[int, int]:
    """Order errors by cause: a misspelt key leads to a missing one, which makes its list too short for pydantic.

    Of a union's branches, the error of the longest path comes first.
    """
    return {"extra_forbidden": 0, "missing": 2, "too_short": 3}.get(error["type"], 1), -len(error["loc"])


def _key(error: ErrorDetails) -> str:
    """Key as the recipe's author writes it, without the branches of unions that pydantic puts between."""
    place = error["loc"]
    if place[:1] == ("model",):  # then comes the kind
        place = ("model", *place[2:])
    named = [str(part) for part in place if part != "float" and not str(part).startswith("tuple[")]
    if error["type"] in _CHOICE:
        named.append(error["ctx"]["discriminator"].strip("'"))
    return ".".join(named) or "recipe"


def describe_error(error: ValidationError) -> tuple[str, str]:
    """Describe the first problem of a recipe: the problem, with its key, and the remedy."""
    first = min(error.errors(), key=_rank)
    key, kind = _key(first), first["type"]
    if kind == "extra_forbidden":
        return f"unknown key '{key}'", "remove it or correct its spelling"
    if kind in ("missing", "union_tag_not_found"):
        return f"key '{key}' is missing", "add it"
    found = _MESSAGES.get(kind, first["msg"]).format(**first.get("ctx", {}))
    return f"key '{key}': {found}", "correct its value"
