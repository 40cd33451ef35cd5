"""The whole way from a .tflite to a planned program, and to its C sources."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from ..graph import Graph
from ..graph.cost import Cost
from ..graph.limits import Limits
from ..tflite import metadata
from ..tflite.metadata import ModelInfo, cost_of, limits_of
from ..tflite.reader import load, parse
from .codegen.clip_head import remembered
from .codegen.model import Identity, render_model
from .memory.planner import Plan, check, plan
from .operators import lower, require_supported
from .options import DEFAULT, Options
from .passes import ends
from .passes.assign_in_place import assign_in_place
from .passes.fuse_maps import fuse
from .passes.graph_cleanup import drop_unread
from .passes.join_pads import join_pads
from .passes.shapes import fold, with_shapes
from .plan_cache import divided
from .program import Program


@dataclass(frozen=True)
class Compiled:
    """A model, ready to be written as C.

    Attributes
    ----------
    graph
        As read, every tensor and operator of the file, with shapes that follow from computed ones corrected.
    program, plan
        Steps and their memory.
    cost
        Of ``graph``, by the challenge's counting rules.
    info
        What the file says about itself; None for a foreign model.
    identity
        Name, hashes and labels; a foreign model's labels are "class 0", "class 1" ...
    options
        How it was compiled.
    """

    graph: Graph
    program: Program
    plan: Plan
    cost: Cost
    info: ModelInfo | None
    identity: Identity
    options: Options

    @property
    def ram_bytes(self) -> int:
        """The arena, and the memory of the clip head, bytes."""
        head = self.info.clip_head if self.info else None
        return self.plan.arena_bytes + (head.size.ram_bytes if head else 0)

    def files(self, held: Limits | None = None) -> dict[str, str]:
        """C sources by file name; the same for the same .tflite and limits (by default, the model's own)."""
        between = ends.inputs(self.graph), ends.outputs(self.graph)
        return render_model(self.program, self.plan, self.cost, self.identity, between, held or limits_of(self.info))


def compile_model(source: str | Path | bytes, options: Options = DEFAULT, name: str | None = None) -> Compiled:
    """Take a model from its file to a planned program.

    Parameters
    ----------
    source
        Path of an INT8 .tflite, or its bytes; its input and output may be float32 or uint8, converted at the ends.
    options
        Fusion, weights, memory.
    name
        Of the model; by default its file's.

    Returns
    -------
    Compiled
        Not held to the challenge's limits: see :func:`scenelet.graph.limits.require`.

    Raises
    ------
    ModelError
        The file is missing, damaged, or says something impossible of itself.
    UnsupportedError
        The engine cannot run it; names operator, layer and remedy.
    """
    subject, stem, content = load(source)
    graph = with_shapes(parse(subject, name or stem, content))
    inside = ends.interior(fold(graph))
    require_supported(inside)
    info = metadata.read(content, subject)
    needed = drop_unread(inside)
    program = lower(join_pads(needed) if options.fusion else needed)
    if not options.fusion:
        program = assign_in_place(program)
    else:
        program = divided(assign_in_place(fuse(program, small=options.weights == "packed")), options, content)
    memory = plan(program)
    check(program, memory)
    identity = Identity(
        graph.name,
        hashlib.sha256(content).hexdigest(),
        _labels(graph, info, subject),
        info.frontend_sha256 if info else "",
        info.silence if info else None,
        remembered(program, memory, info.clip_head, subject) if info and info.clip_head else None,
    )
    return Compiled(graph, program, memory, cost_of(graph, info), info, identity, options)


def _labels(graph: Graph, info: ModelInfo | None, subject: object) -> tuple[str, ...]:
    classes = (1, *graph.tensors[graph.outputs[0]].shape)[-1]  # a scalar is one score
    if info is None:
        return tuple(f"class {number}" for number in range(classes))
    if len(info.labels) != classes:
        raise ModelError(subject, f"names {len(info.labels)} labels for {classes} scores", "quantize the run again")
    return info.labels
