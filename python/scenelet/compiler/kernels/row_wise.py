"""Kernels that run a few rows of their map as they run the whole: the same function on a shorter input and output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..program import Records, Struct
from . import cost_model
from .variant import Layer, Parameters, Variant, Work

_ROWS_SUMMED = 4

_Change = Callable[[Layer], Mapping[str, Any]]


def _unchanged(_layer: Layer) -> Mapping[str, Any]:
    return {}


def _pixels(layer: Layer) -> Mapping[str, Any]:
    return {"pixels": layer.row_elements // int(layer.fields["channels"])}


def _elements(layer: Layer) -> Mapping[str, Any]:
    return {"elements": layer.row_elements}


_RUN: Mapping[str, tuple[str, _Change]] = {
    "scn_depthwise_conv2d_s8": ("scn_depthwise_conv2d_rows", _unchanged),
    "scn_max_pool_s8": ("scn_max_pool_rows", _unchanged),
    "scn_average_pool_s8": ("scn_average_pool_rows", _unchanged),
    "scn_add_s8": ("scn_add_rows", _unchanged),
    "scn_add_lut_s8": ("scn_add_lut_rows", _elements),
    "scn_lut_s8": ("scn_lut_rows", _pixels),
    "scn_mean_s8": ("scn_mean_rows", _unchanged),
}
"""By kernel: the engine's row-wise function, and the members of the parameter struct that count one row there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RowWise(Variant):
    """The kernel of the whole map, one row at a time."""

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "rows"

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        run, change = _RUN[self.step.kernel]
        assert isinstance(self.step.params, Struct)
        record = Records(layer.name, self.step.params.type, ({**layer.fields, **change(layer)},))
        return Parameters(run, record, tuple(layer.tables.values()))


def ways(work: Work) -> Iterator[Variant]:
    """List the one way."""
    why = "one row at a time needs the least memory"
    sliding = work.step.kernel == "scn_depthwise_conv2d_s8"
    counted = cost_model.depthwise(work.step, 1) if sliding else cost_model.terms_of(work.step)
    yield RowWise(step=work.step, stripe=1, terms=counted, why=why)


def mean_ways(work: Work) -> Iterator[Variant]:
    """List the one way to run MEAN over height and width."""
    why = "sums so far instead of the whole map"
    yield RowWise(step=work.step, stripe=_ROWS_SUMMED, terms=cost_model.summed(work.step), why=why)
