"""CONV_2D with so few weights that all of them are widened at every call (scn_conv2d_narrow_rows)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..program import Step
from . import cost_model
from .cost import Terms, lines, terms
from .direct import fused_parameters
from .variant import Layer, Parameters, Variant, Work, is_plain

_MOST_WEIGHT_BYTES = 1024
_MOST_ROWS = 16
"""Output rows that the kernel computes together; a larger stripe is several of these."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Narrow(Variant):
    """Input rows are widened once for all windows that see them."""

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "narrow"

    @property
    def scratch_bytes(self) -> int:
        """SCN_CONV2D_NARROW_SCRATCH_BYTES."""
        window, source, _ = cost_model.maps(self.step)
        taps = -(-window["width"] * source["channels"] // 2)
        return 2 * self.step.tables[0].nbytes + taps * (15 + window["height"]) * 4

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """See :class:`Variant`."""
        window, source, target = cost_model.maps(self.step)
        sizes = f"{window['height']}, {window['width']}, {source['channels']}, {target['channels']}"
        scratch = f"SCN_CONV2D_NARROW_SCRATCH_BYTES({sizes}) == {self.scratch_bytes}"
        return (scratch, *self.step.static_asserts[1:])

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        return fused_parameters(layer, "scn_conv2d_narrow_rows")


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a CONV_2D; none with a pool, other strides than 1, or one row of taps."""
    step = work.step
    window = step.fields["window"]
    # With one row of taps there are no rows to share.
    if work.pool or not is_plain(window) or window["height"] == 1 or step.tables[0].nbytes > _MOST_WEIGHT_BYTES:
        return
    why = "few weights: all widened at once, input rows widened once for all windows"
    for stripe in (16, 8, 4):
        yield Narrow(step=step, stripe=stripe, terms=_terms(step, stripe), why=why)


def _terms(step: Step, stripe: int) -> Terms:
    """Runs of taps are filled up to pairs; the window's rows and pairs of channels count in every stripe."""
    window, source, target = cost_model.maps(step)
    run, channels = window["width"] * source["channels"], target["channels"]
    pairs, positions = -(-run // 2), cost_model.pixels(target)
    stripes = -(-target["height"] // min(stripe, _MOST_ROWS))
    columns, nbytes = stripes * target["width"], step.tables[0].nbytes
    counted = terms(
        "narrow",
        mac=step.macs * 2 * pairs / run,
        position=positions,
        output=positions * channels,
        pair_of_taps=positions * pairs,
        weight=stripes * nbytes,
        row=columns * (window["height"] - 1),
        pair=columns * -(-channels // 2),
    )
    return (*counted, lines(stripes * nbytes))
