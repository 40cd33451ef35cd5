"""The compiler's decisions: kernel, fusion and buffers of each layer, memory over time, predicted cost, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..compiler.depth_first.lowering import SegmentStep
from ..compiler.depth_first.segment import Segment
from ..compiler.kernels import cost_model
from ..compiler.options import DEFAULT, Options
from ..compiler.pipeline import Compiled, compile_model
from ..compiler.program import Step
from ..graph.cost import LayerCost


@dataclass(frozen=True)
class Part:
    """A layer as it runs: a step, or a stage of a depth-first step.

    Attributes
    ----------
    step
        Number of its step.
    layer, operators
        Name; numbers of the .tflite operators that it computes.
    kernel
        Kernel variant, such as "winograd", or the engine's function.
    rows
        Output rows per stripe; None for whole feature maps.
    line_bytes
        Size of the line buffer of its output, or of its partial sums; 0 if the output is whole in the arena.
    scratch_bytes
        Size of its working memory.
    macs
        Multiply-accumulates by the challenge's counting rules.
    predicted_instructions, predicted_cycles
        Estimates for the Cortex-M4 by the cost model, the second with the wait states of the options; ``scenelet
        bench`` counts the instructions and models the cycles of what really runs.
    why
        Reason for the choice.
    """

    step: int
    layer: str
    operators: tuple[int, ...]
    kernel: str
    rows: int | None
    line_bytes: int
    scratch_bytes: int
    macs: int
    predicted_instructions: int
    predicted_cycles: int
    why: str


@dataclass(frozen=True)
class Piece:
    """A block of the arena, and the first and last step (inclusive) in which it is alive."""

    name: str
    offset: int
    bytes: int
    first_step: int
    last_step: int


@dataclass(frozen=True)
class Explanation:
    """A model's compiled form; sizes in bytes."""

    model: str
    parts: tuple[Part, ...]
    memory: tuple[Piece, ...]
    arena_bytes: int
    busiest_step_bytes: int
    constant_bytes: int
    state_bytes: int = 0

    @property
    def predicted_instructions(self) -> int:
        """Estimated instructions of one inference."""
        return sum(part.predicted_instructions for part in self.parts)

    @property
    def predicted_cycles(self) -> int:
        """Estimated modelled cycles of one inference."""
        return sum(part.predicted_cycles for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        totals = {"predicted_instructions": self.predicted_instructions, "predicted_cycles": self.predicted_cycles}
        return asdict(self) | totals

    def timeline(self) -> Iterator[tuple[int, str, str]]:
        """Rows of a table: step, live blocks as "offset+bytes name", and the end of the highest one."""
        for step in sorted({part.step for part in self.parts}):
            alive = [piece for piece in self.memory if piece.first_step <= step <= piece.last_step]
            held = ", ".join(f"{p.offset}+{p.bytes} {p.name}" for p in sorted(alive, key=lambda p: p.offset))
            yield step, held, f"{max(p.offset + p.bytes for p in alive):,}"


def operator_costs(compiled: Compiled) -> dict[int, LayerCost]:
    """Cost of every operator of a model by its number in the .tflite, as parts name their operators."""
    # After the operators there may be a clip head, which is none.
    return {one.index: cost for one, cost in zip(compiled.graph.operators, compiled.cost.layers, strict=False)}


def explain(model: str | Path | bytes, options: Options = DEFAULT) -> Explanation:
    """Compile a model and report the compiler's decisions.

    Parameters
    ----------
    model
        Path of an INT8 .tflite, or its bytes.
    options
        Compiler options.

    Raises
    ------
    ModelError, UnsupportedError
        As :func:`scenelet.compiler.pipeline.compile_model`.
    """
    return explain_compiled(compile_model(model, options))


def explain_compiled(compiled: Compiled) -> Explanation:
    """Report the compiler's decisions on a model that is compiled."""
    waits = compiled.options.wait_states
    parts = tuple(part for n, step in enumerate(compiled.program.steps) for part in _parts(n, step, waits))
    memory = tuple(Piece(b.name, b.offset, b.nbytes, b.first, b.last) for b in compiled.plan.blocks)
    plan = compiled.plan
    name = compiled.identity.name
    return Explanation(
        name, parts, memory, plan.arena_bytes, plan.lower_bound, compiled.program.table_bytes, plan.state_bytes
    )


def _parts(number: int, step: Step, wait_states: int) -> Iterator[Part]:
    if isinstance(step, SegmentStep):
        yield from _stages(number, step.segment, wait_states)
        return
    cost = cost_model.estimate(step)
    why = "whole map at once"
    if step.kernel == "scn_lut_s8" and len(step.operators) > 1:
        why = "constants of all its operators in one table of 256 values"
    elif step.assigns:
        why += ", in the place of the variable that it is assigned to"
    yield Part(
        number,
        step.name,
        step.operators,
        step.kernel,
        None,
        0,
        step.scratch_bytes,
        step.macs,
        round(cost.instructions),
        round(cost.at(wait_states)),
        why,
    )


def _stages(number: int, segment: Segment, wait_states: int) -> Iterator[Part]:
    for stage, rows in zip(segment.stages, segment.rows, strict=True):
        steps = (stage.step, *stage.followers)
        kept = {rows.output, *(n for n in rows.inputs if segment.lines[n].more_bytes)}
        kernel = stage.step.kernel if stage.variant.name == "rows" else stage.variant.name
        why = stage.variant.why + ("; what follows is one table of 256 values per channel" if stage.map else "")
        why += "; sums are pooled before they are rescaled" if stage.pool else ""
        why += "; ADD as it stores: one multiplication and one table, exact for all pairs" if stage.added else ""
        yield Part(
            step=number,
            layer=" + ".join(step.name for step in steps),
            operators=tuple(number for step in steps for number in step.operators),
            kernel=kernel
            + (" + map" if stage.map else "")
            + (" + pool" if stage.pool else "")
            + (" + add" if stage.added else ""),
            rows=rows.stripe,
            line_bytes=sum(line.nbytes for n, line in enumerate(segment.lines) if n in kept and line in segment.kept),
            scratch_bytes=stage.variant.scratch_bytes,
            macs=sum(step.macs for step in steps),
            predicted_instructions=round(stage.cost.instructions),
            predicted_cycles=round(stage.cost.at(wait_states)),
            why=why,
        )
