"""The clip head in C: its constants, and where the network's embedding lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ModelError
from ...tflite.clip_head import ClipHead
from ..memory.planner import Plan
from ..program import Program, Table
from . import c_literals


@dataclass(frozen=True)
class Remembered:
    """A clip head, and the step after which its network's embedding lies whole at ``offset`` in the arena."""

    head: ClipHead
    step: int
    offset: int

    def context(self) -> dict[str, Any]:
        """Values for the templates."""
        head = self.head
        return {
            "head": head,
            "step": self.step,
            "offset": self.offset,
            "kinds": " | ".join(f"SCN_CLIP_{name.upper()}" for name in head.statistics),
            "weights": c_literals.array(Table("clip_weights", "int8_t", head.matrix.ravel())),
            "bias": c_literals.array(Table("clip_bias", "int32_t", np.array(head.bias, np.int32))),
        }


def remembered(program: Program, plan: Plan, head: ClipHead, subject: object) -> Remembered:
    """Find the embedding of a clip head.

    Raises
    ------
    ModelError
        The network has no such tensor, or no step leaves it whole in memory.
    """
    remedy = "quantize the run again"
    found = [index for index, tensor in program.graph.tensors.items() if tensor.name == head.tensor]
    if not found or program.graph.tensors[found[0]].dtype != "int8":
        raise ModelError(subject, f"its clip head reads tensor '{head.tensor}', which is not there", remedy)
    tensor = program.graph.tensors[found[0]]
    scores = program.graph.tensors[program.graph.outputs[0]].elements
    if tensor.elements != head.width or len(head.bias) != scores:
        made = f"{head.width} values and {len(head.bias)} classes"
        problem = f"its clip head is for {made}, the network has {tensor.elements} and {scores}"
        raise ModelError(subject, problem, remedy)
    for number, step in enumerate(program.steps):
        if found[0] in program.shown_by(step):
            return Remembered(head, number, plan.offset(program.holder(found[0])))
    raise ModelError(subject, f"tensor '{head.tensor}', which its clip head reads, is never whole in memory", remedy)
