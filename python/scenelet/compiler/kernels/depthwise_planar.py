"""Planar DEPTHWISE_CONV_2D (scn_depthwise_planar_rows): when it applies, its constants, memory and cost.

Four channels at a time are widened into planes in which a word holds two neighbours, so that one multiplication takes
two taps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..program import Records, Step, Table
from .cost import terms
from .requantize import channel_constants
from .variant import Layer, Parameters, Striped, Variant, Work, stripes_up_to

_CHANNELS = 4
_MOST_WORDS = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthwisePlanar(Striped):
    """Four planes at a time.

    Attributes
    ----------
    down
        Whether a word holds neighbours down, else across.
    pairs, rows
        Words along that axis, and rows of the other one, that a stripe sees.
    """

    down: bool
    pairs: int
    rows: int

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "planar"

    @property
    def scratch_bytes(self) -> int:
        """SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES."""
        return 16 * self.pairs * self.rows

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """See :class:`Variant`."""
        fields = self.step.fields
        window = fields["window"]
        outputs = self.stripe if self.down else fields["output"]["width"]
        taps, stride = (window["height"], window["stride_h"]) if self.down else (window["width"], window["stride_w"])
        pairs = f"SCN_DEPTHWISE_PLANAR_PAIRS({outputs}, {taps}, {stride})"
        return (f"SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES({pairs}, {self.rows}) == {self.scratch_bytes}",)

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        window = self.step.fields["window"]
        constants = channel_constants(self.step, window["height"] * window["width"])
        assert constants is not None, "ways() lists none then"
        requantize = Table(f"{layer.name}_requantize", "scn_requantize_channel_t", constants)
        members = {
            "conv": {**layer.fields, "bias": None, "scale": None},
            "down": self.down,
            "requantize": requantize.kind,
        }
        record = Records(layer.name, "scn_depthwise_planar_t", (members,))
        return Parameters("scn_depthwise_planar_rows", record, (layer.tables["weights"], requantize))


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a DEPTHWISE_CONV_2D, for each stripe the better axis; none where it cannot."""
    fields = work.step.fields
    window, target = fields["window"], fields["output"]
    if fields["depth_multiplier"] != 1 or target["channels"] % _CHANNELS or target["batches"] != 1:
        return
    if window["dilation_h"] * window["dilation_w"] != 1:
        return
    if channel_constants(work.step, window["height"] * window["width"]) is None:
        return
    found = []
    for stripe in stripes_up_to(target["height"]):
        axes = [way for down in (False, True) if (way := _way(work.step, stripe, down))]
        if axes:
            found.append(min(axes, key=lambda way: way.cost.at(work.wait_states)))
    yield from DepthwisePlanar.with_alone(tuple(found), work.wait_states)


def _way(step: Step, stripe: int, down: bool) -> DepthwisePlanar | None:
    window, target = step.fields["window"], step.fields["output"]
    y = stripe, window["height"], window["stride_h"]
    x = target["width"], window["width"], window["stride_w"]
    (outputs, taps, stride), (other_outputs, other_taps, other_stride) = (y, x) if down else (x, y)
    if stride not in (1, 2) or tap_words(taps, stride) * other_taps > _MOST_WORDS:
        return None
    columns = -(-outputs // (2 if stride == 1 else 1))
    pairs = columns - 1 + tap_words(taps, stride)
    rows = (other_outputs - 1) * other_stride + other_taps
    calls = -(-target["height"] // stripe) * target["channels"]
    each: dict[str, float] = {"channel": 1, "word": pairs * rows}
    if (taps, other_taps, stride, other_stride) == (3, 3, 1, 1):
        # 3x3 with stride 1: four outputs at a time, and two.
        each |= {"column": columns, "four": columns * (other_outputs // 2), "two": columns * (other_outputs % 2)}
    else:
        words = tap_words(taps, stride) * other_taps
        each |= {"pair": columns * other_outputs, "product": columns * other_outputs * words}
    return DepthwisePlanar(
        step=step,
        stripe=stripe,
        terms=terms("planar", **{name: calls * amount for name, amount in each.items()}),
        why=f"planes of four channels; a word holds two neighbours {'down' if down else 'across'}",
        down=down,
        pairs=pairs,
        rows=rows,
    )


def tap_words(taps: int, stride: int) -> int:
    """SCN_DEPTHWISE_PLANAR_TAP_WORDS."""
    return taps // 2 + 1 if stride == 1 else (taps + 1) // 2
