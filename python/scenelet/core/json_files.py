"""JSON files that scenelet reads back: what is wrong with one is told by its key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from ..errors import DamagedFileError
from .files import read_bytes

T = TypeVar("T")

_MOST_DEPTH = 100


class Checked(BaseModel):
    """Base of descriptions of JSON objects; further keys are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)


def parse_object(content: bytes | str, subject: object, remedy: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises
    ------
    DamagedFileError
        The content is no JSON object.
    """
    try:
        found = json.loads(content.decode("utf-8") if isinstance(content, bytes) else content)
    except RecursionError:
        raise DamagedFileError(subject, "is damaged: JSON nested too deeply", remedy) from None
    except ValueError as error:
        raise DamagedFileError(subject, f"is damaged: not JSON: {error}", remedy) from None
    if not isinstance(found, dict):
        raise DamagedFileError(subject, "is damaged: not a JSON object", remedy)
    if _depth(found) > _MOST_DEPTH:
        raise DamagedFileError(subject, "is damaged: JSON nested too deeply", remedy)
    return found


def _depth(content: Any) -> int:
    """Levels of lists and objects; whoever walks the content by calls is safe below :data:`_MOST_DEPTH`."""
    depth, level = 0, [content]
    while level and depth <= _MOST_DEPTH:
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [value for values in inner for value in values if isinstance(value, (dict, list))]
        depth += 1
    return depth


def read_object(path: Path, remedy: str) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises
    ------
    DamagedFileError
        The file holds no JSON object.
    InputError
        It is missing or cannot be read.
    """
    return parse_object(read_bytes(path), path, remedy)


def checked(kind: type[T], content: Any, subject: object, remedy: str) -> T:
    """Convert parsed JSON to a pydantic model or a dataclass; types are strict, as JSON has them.

    Raises
    ------
    DamagedFileError
        A key is missing, unknown or of another type; names the first.
    """
    try:
        return TypeAdapter(kind).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        problem = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        raise DamagedFileError(subject, f"is damaged: {f'key {key!r}: ' if key else ''}{problem}", remedy) from None


def require_keys(content: dict[str, Any], subject: object, remedy: str, /, **types: Any) -> None:
    """Check that an object has keys of some types: Python types, or subclasses of :class:`Checked`.

    Raises
    ------
    DamagedFileError
        A key is missing or of another type; names the first.
    """
    # By aliases, since a damaged file may name its keys as Python cannot name a field.
    fields: dict[str, Any] = {
        f"key{number}": (kind, Field(alias=name)) for number, (name, kind) in enumerate(types.items())
    }
    checked(create_model("Keys", __base__=Checked, **fields), content, subject, remedy)
