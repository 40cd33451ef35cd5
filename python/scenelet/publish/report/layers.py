"""What every layer costs: instructions, MACs, bytes, and the noise that INT8 puts into its output."""

from __future__ import annotations

from dataclasses import dataclass

from ...benchmark.explain import operator_costs
from ..page.frame import Part
from ..page.rendering import rendered, word
from .subject import Missing, Subject


@dataclass(frozen=True)
class Row:
    """A layer as it runs.

    Attributes
    ----------
    instructions
        Counted, or predicted by the cost model; None of a clip head, which is not part of the network.
    bytes
        Parameters of its operators in the .tflite.
    sqnr_db
        Signal-to-quantization-noise ratio of its output; None where it is not known, or where there is no noise.
    """

    name: str
    kernel: str
    why: str
    instructions: int | None
    macs: int
    bytes: int
    sqnr_db: float | None


def rows(subject: Subject) -> list[Row]:
    """All layers in order."""
    costs = operator_costs(subject.compiled)
    noise = {} if isinstance(subject.noise, Missing) else {one.name: one.sqnr_db for one in subject.noise.layers}
    counted = subject.bench.part_instructions if subject.bench else None
    found = [
        Row(
            one.layer,
            one.kernel,
            one.why,
            counted[number] if counted else one.predicted_instructions,
            one.macs,
            sum(costs[operator].params_bytes for operator in one.operators),
            noise.get(costs[one.operators[-1]].name) if one.operators else None,
        )
        for number, one in enumerate(subject.explanation.parts)
    ]
    heads = subject.compiled.cost.layers[len(subject.compiled.graph.operators) :]
    why = "over statistics of the last windows' embeddings"
    return [*found, *(Row(one.name, "clip head", why, None, one.macs, one.params_bytes, None) for one in heads)]


def part(subject: Subject) -> Part:
    """The part of the page."""
    found = rows(subject)
    noise = subject.noise
    values = {
        "rows": found,
        "counted": subject.bench is not None,
        "noise": None if isinstance(noise, Missing) else noise,
        "most": {
            name: max((getattr(row, name) or 0 for row in found), default=0)
            for name in ("instructions", "macs", "bytes")
        },
        "quietest": max((row.sqnr_db for row in found if row.sqnr_db is not None), default=0.0),
    }
    missing = noise.remedy if isinstance(noise, Missing) else ""
    words = [] if subject.bench else ["Give --measure to count instructions in QEMU instead of predicting them."]
    source = f"scenelet {'bench' if subject.bench else 'explain'} {word(subject.model)}"
    source += f", scenelet sqnr {word(subject.run)}" if subject.run and values["noise"] else ""
    text = f"{missing} The noise of every layer is measured against it." if missing else ""
    return Part("layers", "Layers", rendered(__package__, "layers", values), " ".join([*words, text]).strip(), source)
