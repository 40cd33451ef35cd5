"""Metadata of a .tflite file: labels, front end and origin, in one entry named "scenelet".

The entry holds canonical JSON (sorted keys, no time stamp), so equal inputs give equal bytes.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import tflite
from ai_edge_litert import schema_py_generated as schema
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .. import __version__
from ..config.limits import LimitsRule
from ..config.recipe import FrontendConfig
from ..core.names import LONGEST_LABEL
from ..errors import ModelError
from ..graph import Graph
from ..graph.cost import Cost, count, with_clip_head
from ..graph.limits import Limits
from . import object_model
from .clip_head import ClipHead

ENTRY = "scenelet"

# See scenelet.core.names, which holds a data set's names to more than this.
Label = Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Provenance(BaseModel):
    """Which clips of its data set a model was trained on, so that their scores are not reported as a test.

    Attributes
    ----------
    folds
        Published folds that training and validation clips were drawn from; empty if the data set has none.
    all_clips
        Whether they were drawn from all clips, those of the published test included.
    validation_fraction, validation_seed
        Share and seed of the validation split; see :func:`scenelet.data.splits.with_validation`.
    clips_sha256
        Hash of the training clips' names and labels, in the data set's order.
    percent
        Part of the published training split that the clips were drawn from, per cent; None for all of it.
    devices
        Recording devices of the training clips; empty for all of them.
    teachers
        Networks from elsewhere that taught it by their outputs, with what they were trained on.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    folds: tuple[int, ...] = ()
    all_clips: bool = False
    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    validation_seed: int
    clips_sha256: str
    percent: int | None = None
    devices: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a dictionary; part and devices are named only where they are restricted, teachers where there are some."""
        content = self.model_dump(mode="json")
        return {
            name: value for name, value in content.items() if value or name not in ("percent", "devices", "teachers")
        }


class ModelInfo(BaseModel):
    """Metadata of a model.

    Attributes
    ----------
    labels
        Class names in the order of the scores.
    frontend
        Settings of the front end that computed the training features.
    recipe, recipe_sha256
        Name and hash of the experiment.
    dataset
        Name of the data set that the model was trained on.
    learned
        The clips that it was trained on; None if the training did not record them.
    limits
        The limits that the recipe holds the network to.
    silence
        Lowest value of the network's INT8 input that a window which is not silent reaches; None: no window is silent.
    clip_head
        A layer that classifies the last windows together; None: a clip's answer is the mean over its windows.
    version
        Version of scenelet that wrote the model.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    labels: Annotated[tuple[Label, ...], Field(min_length=1)]
    frontend: FrontendConfig
    recipe: str
    recipe_sha256: str = ""
    dataset: str = ""
    learned: Provenance | None = None
    limits: LimitsRule = "dcase"
    silence: Annotated[int, Field(ge=-127, le=127)] | None = None
    clip_head: ClipHead | None = None
    version: str = __version__

    @property
    def frontend_sha256(self) -> str:
        """Hash of the front end's settings."""
        return self.frontend.sha256

    def to_json(self) -> bytes:
        """Canonical JSON; limits only where they are not the challenge's, silence and clip head where they are set."""
        content = self.model_dump(mode="json")
        if self.learned:
            content["learned"] = self.learned.to_json()
        for name in ("silence", "clip_head"):
            if content[name] is None:
                del content[name]
        if self.limits == "dcase":
            del content["limits"]
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def cost_of(graph: Graph, info: ModelInfo | None) -> Cost:
    """Count a model's cost, its clip head included."""
    head = info.clip_head if info else None
    cost = count(graph)
    return with_clip_head(cost, head.size) if head else cost


def limits_of(info: ModelInfo | None, rule: str | None = None) -> Limits:
    """Limits that a model is held to.

    Parameters
    ----------
    info
        Its metadata; None for a model from elsewhere, which is held to a board's memory alone.
    rule
        What an option says; it comes before the metadata.

    Raises
    ------
    InputError
        The rule is unknown.
    """
    if rule is not None:
        return Limits(rule, "by --limits")
    if info is None:
        return Limits("board", "because the model has no metadata of scenelet")
    return Limits(info.limits, f"by its recipe {info.recipe}")


def attach(model: bytes, info: ModelInfo) -> bytes:
    """Write the entry into a .tflite file, in place of an existing one.

    Parameters
    ----------
    model
        Content of a .tflite file.
    info
        The metadata.

    Returns
    -------
    bytes
        The same network with the entry; a pure function of both arguments.

    Raises
    ------
    ModelError
        ``model`` is not a .tflite file.
    """
    tree = object_model.unpack(model)
    tree.metadata = list(tree.metadata or [])
    ours = next((entry for entry in tree.metadata if entry.name in (ENTRY, ENTRY.encode())), None)
    if ours is None:
        ours = schema.MetadataT()
        ours.name = ENTRY
        tree.metadata.append(ours)
    if not 0 < ours.buffer < len(tree.buffers):
        ours.buffer = len(tree.buffers)
        tree.buffers.append(object_model.Buffer())
    tree.buffers[ours.buffer].data = info.to_json()
    return object_model.pack(tree)


def _find(model: bytes) -> bytes | None:
    root = tflite.Model.GetRootAs(model, 0)
    for position in range(root.MetadataLength()):
        entry = root.Metadata(position)
        if entry is not None and entry.Name() == ENTRY.encode():
            buffer = root.Buffers(entry.Buffer())
            return b"" if buffer is None or buffer.DataIsNone() else bytes(buffer.DataAsNumpy())
    return None


def read(model: bytes, source: object = "model") -> ModelInfo | None:
    """Read a .tflite file's entry.

    Parameters
    ----------
    model
        Content of a .tflite file.
    source
        Name of the model in errors.

    Returns
    -------
    ModelInfo or None
        None for a model from elsewhere, which has no such entry.

    Raises
    ------
    ModelError
        Where the file or its entry is damaged.
    """
    object_model.require_identifier(model, source)
    try:
        content = _find(model)
    except object_model.BROKEN_FILE:
        raise object_model.damaged(source) from None
    if content is None:
        return None
    try:
        return ModelInfo.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or ENTRY
        raise ModelError(source, f"metadata '{where}': {first['msg']}", "quantize the run again") from None
