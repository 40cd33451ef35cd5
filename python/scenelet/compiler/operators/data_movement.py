"""PAD, QUANTIZE and the RESHAPE that must copy."""

from __future__ import annotations

from ..numerics.fixed_point import rescale_factor, zero_point_of
from ..program import Step, Struct
from .layer import Layer, four, multiplier, values


def pad(layer: Layer) -> Step:
    """PAD with the output's zero point."""
    before = tuple(int(pair[0]) for pair in values(layer.input(1)))
    fields = {
        "input_size": four(layer.source.shape),
        "output_size": four(layer.target.shape),
        "before": four(before, fill=0),
        "value": zero_point_of(layer.target),
    }
    return layer.step("scn_pad_s8", Struct("scn_pad_t", fields), (layer.held(layer.source), layer.target.index))


def quantize(layer: Layer) -> Step:
    """QUANTIZE of INT8 to another scale or zero point."""
    factor = rescale_factor(layer.source, layer.target)
    fields = {"elements": layer.source.elements, **layer.zero_points(), "scale": multiplier(factor)}
    source = layer.held(layer.source)
    return layer.step(
        "scn_quantize_s8", Struct("scn_quantize_t", fields), (source, layer.target.index), overwrites=(source,)
    )


def copy(layer: Layer) -> Step:
    """RESHAPE between the network's input and output, which may not be one tensor."""
    source = layer.held(layer.source)
    return layer.step("scn_reshape_s8", layer.source.elements, (source, layer.target.index), overwrites=(source,))
