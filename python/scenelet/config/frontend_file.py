"""Front ends of models from elsewhere: a TOML file with the keys of a recipe's front end, and what the model adds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ValidationError

from ..errors import RecipeError
from . import recipe
from .frontend import FrontendConfig
from .section import describe_error

Layout = Literal["bands_first", "frames_first"]


class FrontendFile(FrontendConfig):
    """A front end for a model that carries none.

    Attributes
    ----------
    layout
        Order of the model's input: bands of frames, or frames of bands. None: what its shape says.
    """

    layout: Layout | None = None

    later: ClassVar[tuple[str, ...]] = (*FrontendConfig.later, "layout")

    def settings(self, scale: float, zero_point: int) -> FrontendConfig:
        """Settings of the front end for a model's input.

        Parameters
        ----------
        scale, zero_point
            Quantization of the model's input.

        Returns
        -------
        FrontendConfig
            Its ``lo_db`` and ``hi_db`` are the levels of INT8 -128 and 127. Where the file gives neither, they follow
            from the model's scale and zero point.
        """
        values = {name: getattr(self, name) for name in FrontendConfig.model_fields} | {"levels": "input"}
        if not {"lo_db", "hi_db"} & self.model_fields_set:
            values |= {"lo_db": scale * (-128 - zero_point), "hi_db": scale * (127 - zero_point)}
        return FrontendConfig(**values)


def load(name: str | Path) -> FrontendFile:
    """Read the front end of a recipe, by name or path, or of a file that has nothing but a front end.

    Raises
    ------
    RecipeError
        Where the file is missing, not TOML or invalid; names the file, the key and the problem.
    """
    values = recipe.read_toml(name)
    whole = "model" in values
    section: Any = recipe.load(name).frontend.model_dump(mode="json") if whole else values.get("frontend", values)
    try:
        return FrontendFile.model_validate_json(json.dumps(section, default=str), strict=True)
    except ValidationError as error:
        raise RecipeError(name, *describe_error(error)) from None
