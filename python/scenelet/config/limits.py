"""The part of a recipe that says what the network is held to."""

from __future__ import annotations

from typing import Literal

from .section import Section

LimitsRule = Literal["dcase", "board", "none"]
"""The names of :data:`scenelet.graph.limits.RULES`."""


class LimitsConfig(Section):
    """Limits on cost.

    Attributes
    ----------
    rule
        "dcase": the challenge's parameters and multiply-accumulates, and the board's memory. "board": the board's
        memory alone. "none": nothing is checked before the linker.
    """

    rule: LimitsRule = "dcase"
