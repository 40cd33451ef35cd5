"""What all parts of a recipe are made of, and how they are hashed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class Section(BaseModel):
    """Part of a recipe: fixed, and without a key that nobody knows.

    Attributes
    ----------
    later
        Keys that came after recipes and models had been made without them. They are left out of JSON and hash where
        they have their defaults, so that what was made before keeps its hash.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        unused = {name for name in self.later if getattr(self, name) == fields[name].default}
        return {name: value for name, value in handler(self).items() if name not in unused}

    @property
    def sha256(self) -> str:
        """Hash of all that the section says."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
