"""Whether a convolution may pool its sums: the largest sum gives the largest output if all that follows is monotone.

Rescaling never reverses the order of two sums; a clamp does not either; a table of 256 values per channel is examined.
So a MAX_POOL_2D may take the largest sum before them, or the smallest where the table of a channel falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.affine_map import int8_map
from ..program import Step

_SIZES = (1, 2)
_LEAST_SHIFT, _MOST_SHIFT = -20, -1
_LIMIT = 1 << 30
_LARGEST_PRODUCT = 255 * 128


def pools_sums(convolution: Step, applied: Step | None, pool: Step) -> bool:
    """Decide whether scn_winograd_f4x3_rows_s8 may pool before it rescales.

    Parameters
    ----------
    convolution
        A lowered CONV_2D.
    applied
        The map after it, a table for every channel, or None.
    pool
        What reads the result.
    """
    if pool.kernel != "scn_max_pool_s8" or not _tiles(pool.fields):
        return False
    fields = convolution.fields
    if applied is not None and not _monotone(applied):
        return False
    tables = {table.kind: table.values for table in convolution.tables}
    taps = fields["window"]["height"] * fields["window"]["width"] * fields["input"]["channels"]
    room = _LIMIT - 1 - taps * _LARGEST_PRODUCT
    bias = np.abs(tables["bias"].astype(np.int64)).max() if "bias" in tables else 0
    shifts = tables["scale"][:, 1]
    return bool(bias <= room and shifts.min() >= _LEAST_SHIFT and shifts.max() <= _MOST_SHIFT)


def _tiles(pool: Mapping[str, Any]) -> bool:
    """Whether the pool's windows lie side by side inside the map, at most 2 x 2, and clamp nothing."""
    window, source, target = pool["window"], pool["input"], pool["output"]
    size = (window["height"], window["width"])
    return (
        all(side in _SIZES for side in size)
        and size == (window["stride_h"], window["stride_w"])
        and (window["pad_top"], window["pad_left"]) == (0, 0)
        and target["height"] * size[0] <= source["height"]
        and target["width"] * size[1] <= source["width"]
        and (pool["activation_min"], pool["activation_max"]) == (-128, 127)
    )


def falling(applied: Step) -> NDArray[np.bool_]:
    """Tell by channel whether a monotone map falls: the smallest sum then gives the largest output."""
    values = int8_map(applied.tables[0]).reshape(-1, 256)
    return np.asarray(values[:, 0] > values[:, -1])


def _monotone(applied: Step) -> bool:
    if applied.tables[0].type != "int8_t":  # affine steps and saturation keep an order, or reverse it
        return True
    steps = np.diff(applied.tables[0].values.reshape(-1, 256).astype(np.int16), axis=1)
    return bool(((steps >= 0).all(axis=1) | (steps <= 0).all(axis=1)).all())
