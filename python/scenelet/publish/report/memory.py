"""The arena over time: which block lives where, in which steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...benchmark.explain import Explanation, Piece
from ...compiler.depth_first.lowering import SegmentStep, stages_of
from ...compiler.program import Step
from ..page.chart import ticks
from ..page.frame import Part
from ..page.rendering import rendered, word
from .subject import Subject

# A number needs this share of the picture's width for each digit, and this share of its height, on a telephone.
_DIGIT, _LINE = 0.025, 0.045
_LETTER = 0.0072  # and this, for each letter of its name, on a desk


@dataclass(frozen=True)
class Block:
    """A block of the picture: places and sizes in per cent of it, from the left and from the bottom.

    ``kind`` is "input", "feature map", "line buffer", "scratch" or "state".
    """

    number: int
    piece: Piece
    kind: str
    left: float
    bottom: float
    width: float
    height: float

    @property
    def labelled(self) -> bool:
        """Whether its number has room in the picture."""
        return self.width / 100 >= _DIGIT * len(str(self.number)) + 0.01 and self.height / 100 >= _LINE

    @property
    def named(self) -> bool:
        """Whether its name has room too, where the picture is widest."""
        return self.labelled and self.width / 100 >= _LETTER * (len(self.piece.name) + 4) + 0.01


def blocks(explanation: Explanation, steps_of: Sequence[Step]) -> list[Block]:
    """Blocks by their first step, then from the arena's start; a depth-first step's memory is split into its buffers.

    Parameters
    ----------
    explanation, steps_of
        Of one compiled model.
    """
    steps = len(steps_of)
    arena = max(explanation.arena_bytes, 1)
    made = []
    pieces = [part for piece in explanation.memory for part in _parts(piece, steps_of)]
    ordered = sorted(pieces, key=lambda piece: (piece.first_step, piece.offset))
    for number, piece in enumerate(ordered, 1):
        last = min(piece.last_step, steps - 1)
        made.append(
            Block(
                number,
                piece,
                _kind(piece, explanation),
                round(100 * piece.first_step / steps, 3),
                round(100 * piece.offset / arena, 3),
                round(100 * (last - piece.first_step + 1) / steps, 3),
                round(100 * piece.bytes / arena, 3),
            )
        )
    return made


def _parts(piece: Piece, steps: Sequence[Step]) -> Iterator[Piece]:
    """Line buffers and the stages' scratch of a depth-first step; any other block as it is."""
    step = steps[piece.first_step]
    stages = stages_of(step)
    if not isinstance(step, SegmentStep) or len(stages) < 2 or piece.name != f"scratch of {step.name}":
        yield piece
        return
    segment = step.segment
    makers = {rows.output: stage for rows, stage in zip(segment.rows, stages, strict=True)}
    for number, line in enumerate(segment.lines):
        if line in segment.kept and line.nbytes:
            last = [makers[number].step, *makers[number].followers][-1].name if number in makers else "MEAN's sums"
            yield replace(piece, name=f"lines of {last}", offset=piece.offset + line.offset, bytes=line.nbytes)
    start = segment.scratch_offset
    if piece.bytes > start:
        yield replace(piece, offset=piece.offset + start, bytes=piece.bytes - start)


def _kind(piece: Piece, explanation: Explanation) -> str:
    for beginning, kind in (("scratch of ", "scratch"), ("lines of ", "line buffer")):
        if piece.name.startswith(beginning):
            return kind
    if piece.offset + piece.bytes <= explanation.state_bytes and piece.first_step == 0:
        return "state"
    return "input" if piece.name == "input" else "feature map"


def _ticks(arena: int) -> list[float]:
    """Round sizes beside the picture, none of them close to the arena's own."""
    return [value for value in ticks(0, max(arena, 1)) if value < 0.95 * arena]


def part(subject: Subject) -> Part:
    """The part of the page."""
    explanation = subject.explanation
    made = blocks(explanation, subject.compiled.program.steps)
    named = {number: step.name for number, step in enumerate(subject.compiled.program.steps)}
    live = {step: sum(b.piece.bytes for b in made if b.piece.first_step <= step <= b.piece.last_step) for step in named}
    busiest = max(live, key=lambda step: live[step])
    values = {
        "blocks": made, "arena": explanation.arena_bytes, "steps": len(named), "named": named, "live": live,
        "busiest": busiest, "kinds": list(dict.fromkeys(block.kind for block in made)),
        "ticks": _ticks(explanation.arena_bytes),
        "state": explanation.state_bytes,
    }  # fmt: skip
    return Part(
        "memory",
        "Memory over time",
        rendered(__package__, "memory", values),
        source=f"scenelet explain {word(subject.model)}",
    )
