"""What no model knows of an entry: authors, source code, external data. A TOML file of the entrant's."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from ...config.section import Section, describe_error
from ...core.files import is_there, read_bytes
from ...errors import InputError

LONGEST_ABBREVIATION = 10
_PAGE = "docs/CHALLENGES.md shows one"


class Affiliation(Section):
    """Where an author works."""

    abbreviation: str = ""
    institute: str = ""
    department: str = ""
    location: str = ""


class Author(Section):
    """One author; exactly one of them is the corresponding one."""

    lastname: Annotated[str, Field(min_length=1)]
    firstname: str = ""
    email: str = ""
    corresponding: bool = False
    affiliation: Affiliation = Affiliation()


class ExternalData(Section):
    """Data, or a network trained on them, that is not of the challenge; ``total_audio_length`` in minutes."""

    name: Annotated[str, Field(min_length=1)]
    url: str
    total_audio_length: Annotated[float, Field(ge=0)]


class Details(Section):
    """An entry's details.

    Attributes
    ----------
    name, abbreviation
        Of the system; by default the recipe's.
    description
        Replaces parts of the system's description in the metadata, by key.
    """

    name: str = ""
    abbreviation: Annotated[str, Field(max_length=LONGEST_ABBREVIATION)] = ""
    source_code: str = ""
    authors: tuple[Author, ...] = ()
    external_datasets: tuple[ExternalData, ...] = ()
    description: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        corresponding = sum(author.corresponding for author in self.authors)
        if self.authors and corresponding != 1:
            raise ValueError(f"{corresponding} authors are corresponding ones, exactly one must be")
        return self

    def authors_for(self, label: str) -> list[dict[str, Any]]:
        """Authors as a challenge's metadata hold them; of a label's last name alone where none are given."""
        given = self.authors or (Author(lastname=label.split("_")[0], corresponding=True),)
        return [author.model_dump(mode="json") for author in given]

    def described(self, defaults: Mapping[str, Any], subject: object) -> dict[str, Any]:
        """Description with these details in place of the defaults.

        Raises
        ------
        InputError
            Where they have a key that the challenge does not ask for.
        """
        unknown = sorted(set(self.description) - set(defaults))
        if unknown:
            problem = f"key 'description.{unknown[0]}' is none of the challenge's"
            raise InputError(subject, problem, f"use: {', '.join(defaults)}")
        return {**defaults, **self.description}


def read_details(path: Path | None) -> Details:
    """Read the file; empty details without one.

    Raises
    ------
    InputError
        Where it is missing, not TOML or invalid; names the key.
    """
    if path is None:
        return Details()
    if not is_there(path):
        raise InputError(path, "no such file", f"write it; {_PAGE}")
    try:
        values = tomllib.loads(read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise InputError(path, f"not TOML: {error}", f"correct it; {_PAGE}") from None
    try:
        return Details.model_validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise InputError(path, *describe_error(error)) from None
