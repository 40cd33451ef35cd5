"""Operators that pick values by constant indices: where in its input each value of an output comes from.

Each operator is a function of the positions of its input's values, an array of the input's shape, and gives those of
its output, :data:`FILL` where the output holds the zero point. What the engine needs of them is
:func:`strides_along`, where they are a copy by strides, or :func:`rows_and_columns`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Positions = NDArray[np.int64]

FILL = -1
"""A value that does not come from the input."""

PositionsOf = Callable[[Positions, Sequence[Array], Mapping[str, Any]], Positions]
"""From the input's positions, the constants and the options to the output's positions."""


def _gather(positions: Positions, constants: Sequence[Array], options: Mapping[str, Any]) -> Positions:
    if int(options.get("batch_dims", 0)) != 0:
        raise ValueError("one list of indices for each batch")
    axis = int(options.get("axis", 0))
    _require_inside(constants[0], positions.shape[axis])
    return np.take(positions, constants[0], axis=axis)


def _gather_nd(positions: Positions, constants: Sequence[Array], _options: Mapping[str, Any]) -> Positions:
    indices = constants[0]
    for dim in range(indices.shape[-1]):
        _require_inside(indices[..., dim], positions.shape[dim])
    return np.asarray(positions[tuple(np.moveaxis(indices, -1, 0))])


def _require_inside(indices: Array, size: int) -> None:
    outside = indices[(indices < 0) | (indices >= size)]
    if outside.size:
        raise ValueError(f"index {outside.ravel()[0]} of a dimension of {size}")


def _reverse(positions: Positions, constants: Sequence[Array], _options: Mapping[str, Any]) -> Positions:
    return np.flip(positions, tuple(np.ravel(constants[0]).tolist()))


def _tile(positions: Positions, constants: Sequence[Array], _options: Mapping[str, Any]) -> Positions:
    multiples = np.ravel(constants[0]).tolist()
    if len(multiples) != positions.ndim:
        raise ValueError(f"multiples {multiples}")
    return np.tile(positions, multiples)


def _broadcast(positions: Positions, constants: Sequence[Array], _options: Mapping[str, Any]) -> Positions:
    return np.broadcast_to(positions, np.ravel(constants[0]).tolist())


def _mirror(positions: Positions, constants: Sequence[Array], options: Mapping[str, Any]) -> Positions:
    paddings = constants[0].reshape(positions.ndim, 2)
    symmetric = options.get("mode", "REFLECT") == "SYMMETRIC"
    most = np.array(positions.shape) - (0 if symmetric else 1)
    if np.any(paddings < 0) or np.any(paddings > most[:, None]):
        raise ValueError(f"paddings {paddings.tolist()}")
    return np.pad(positions, paddings.tolist(), mode="symmetric" if symmetric else "reflect")


def _space_to_depth(positions: Positions, _constants: Sequence[Array], options: Mapping[str, Any]) -> Positions:
    batch, height, width, channels = positions.shape
    size = _block(options)
    cells = positions.reshape(batch, height // size, size, width // size, size, channels)
    return cells.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // size, width // size, -1)


def _depth_to_space(positions: Positions, _constants: Sequence[Array], options: Mapping[str, Any]) -> Positions:
    batch, height, width, channels = positions.shape
    size = _block(options)
    cells = positions.reshape(batch, height, width, size, size, channels // size**2)
    return cells.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height * size, width * size, -1)


def _block(options: Mapping[str, Any]) -> int:
    size = int(options["block_size"])
    if size < 1:
        raise ValueError(f"a block of {size}")
    return size


def _space_to_batch(positions: Positions, constants: Sequence[Array], _options: Mapping[str, Any]) -> Positions:
    blocks, paddings = _spatial(positions, constants)
    whole = np.pad(positions, [(0, 0), *paddings, (0, 0)], constant_values=FILL)
    cells = whole.reshape(
        len(whole),
        *(part for size, block in zip(whole.shape[1:-1], blocks, strict=True) for part in (size // block, block)),
        whole.shape[-1],
    )
    order = [*range(2, 2 * len(blocks) + 1, 2), 0, *range(1, 2 * len(blocks), 2), 2 * len(blocks) + 1]
    sizes = [size // block for size, block in zip(whole.shape[1:-1], blocks, strict=True)]
    return cells.transpose(order).reshape(-1, *sizes, whole.shape[-1])


def _batch_to_space(positions: Positions, constants: Sequence[Array], _options: Mapping[str, Any]) -> Positions:
    blocks, crops = _spatial(positions, constants)
    count = len(blocks)
    cells = positions.reshape(*blocks, -1, *positions.shape[1:])
    order = [count, *(part for i in range(count) for part in (count + 1 + i, i)), 2 * count + 1]
    sizes = [size * block for size, block in zip(positions.shape[1:-1], blocks, strict=True)]
    whole = cells.transpose(order).reshape(-1, *sizes, positions.shape[-1])
    kept = [slice(before, size - after) for size, (before, after) in zip(sizes, crops, strict=True)]
    return whole[(slice(None), *kept)]


def _spatial(positions: Positions, constants: Sequence[Array]) -> tuple[list[int], list[list[int]]]:
    """Block sizes and paddings or crops of every dimension between batch and channels."""
    blocks, edges = np.ravel(constants[0]).tolist(), constants[1].reshape(-1, 2).tolist()
    if len(blocks) != positions.ndim - 2 or min(blocks, default=0) < 1 or np.any(np.array(edges) < 0):
        raise ValueError(f"blocks {blocks} and edges {edges}")
    return blocks, edges


def _nearest(positions: Positions, constants: Sequence[Array], options: Mapping[str, Any]) -> Positions:
    height, width = np.ravel(constants[0]).tolist()
    rows = _neighbours(positions.shape[1], height, options)
    return positions[:, rows][:, :, _neighbours(positions.shape[2], width, options)]


def _neighbours(size: int, wanted: int, options: Mapping[str, Any]) -> NDArray[np.int64]:
    """Which input each output of one axis is nearest to, in float32 like the interpreter."""
    aligned, centred = bool(options.get("align_corners", False)), bool(options.get("half_pixel_centers", False))
    scale = np.float32(size) / np.float32(wanted)
    if aligned and wanted > 1:
        scale = np.float32(size - 1) / np.float32(wanted - 1)
    places = (np.arange(wanted).astype(np.float32) + np.float32(0.5 if centred else 0)) * scale
    # Halves away from zero, in float64, where adding a half is exact.
    whole = np.floor(places.astype(np.float64) + 0.5) if aligned else np.floor(places)
    return np.minimum(whole.astype(np.int64), size - 1)


POSITIONS: Mapping[str, PositionsOf] = {
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "BROADCAST_TO": _broadcast,
    "DEPTH_TO_SPACE": _depth_to_space,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "MIRROR_PAD": _mirror,
    "RESIZE_NEAREST_NEIGHBOR": _nearest,
    "REVERSE_V2": _reverse,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "SPACE_TO_DEPTH": _space_to_depth,
    "TILE": _tile,
}
"""By TFLite's name. Each raises ValueError or IndexError where options, constants and shapes do not fit each other."""


def strides_along(positions: Positions, most: int) -> tuple[int, tuple[int, ...], tuple[int, ...]] | None:
    """Describe positions as a copy by strides.

    Parameters
    ----------
    positions
        Of an output, in its order.
    most
        Dimensions that the copy may have.

    Returns
    -------
    tuple or None
        First position, sizes and strides, outermost first; None where there are none.
    """
    rest = positions.ravel()
    start = int(rest[0])
    if np.any(rest < 0):
        return None
    sizes: list[int] = []
    strides: list[int] = []
    while rest.size > 1:
        stride = int(rest[1] - rest[0])
        breaks = np.flatnonzero(np.diff(rest) != stride)
        size = int(breaks[0]) + 1 if breaks.size else rest.size
        if rest.size % size or np.any(np.diff(rest.reshape(-1, size), axis=1) != stride):
            return None
        sizes.insert(0, size)
        strides.insert(0, stride)
        rest = rest[::size]
    return (start, tuple(sizes), tuple(strides)) if len(sizes) <= most else None


@dataclass(frozen=True)
class RowsAndColumns:
    """Positions as rows of runs: run c of row r starts at ``rows[r, 0] + columns[rows[r, 1] + c]``.

    Attributes
    ----------
    run
        Values that lie together wherever they come from.
    count
        Runs of a row.
    rows
        (rows, 2): a start in the input, and the first of the row's entries in ``columns``.
    columns
        Distances from the row's start; :data:`NOWHERE` for a run of fill.
    """

    run: int
    count: int
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        """Size of both tables."""
        return self.rows.nbytes + self.columns.nbytes


NOWHERE = -(2**31)
"""SCN_NOWHERE of the engine."""


def rows_and_columns(positions: Positions) -> RowsAndColumns:
    """Describe any positions by the smallest tables of rows and columns.

    Parameters
    ----------
    positions
        Of an output, in its order, :data:`FILL` where it does not come from the input.
    """
    flat = positions.ravel()
    follows = np.diff(flat) == 1
    filled = (flat[1:] == FILL) & (flat[:-1] == FILL)
    # A run of fill ends where values begin, although position 0 follows FILL.
    joined = (follows & (flat[:-1] != FILL)) | filled
    run = math.gcd(flat.size, *(np.flatnonzero(~joined) + 1).tolist())
    starts = flat[::run]
    counts = [count for count in range(1, starts.size + 1) if starts.size % count == 0]
    return min((_tables(starts, run, count) for count in counts), key=lambda tables: tables.nbytes)


def _tables(starts: Positions, run: int, count: int) -> RowsAndColumns:
    rows = starts.reshape(-1, count)
    known = rows != FILL
    bases = np.where(known.any(axis=1), rows[np.arange(len(rows)), known.argmax(axis=1)], 0)
    sets, numbers = np.unique(np.where(known, rows - bases[:, None], NOWHERE), axis=0, return_inverse=True)
    listed = np.stack([bases, np.ravel(numbers) * count], axis=1)
    return RowsAndColumns(run, count, listed.astype(np.int32), sets.astype(np.int32).ravel())
