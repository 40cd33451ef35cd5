"""Operators that move values without changing them, as NumPy views: of integers for shapes, of bytes for their strides.

A view shares its array's memory; its strides and its start say where the engine finds each value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Constants = Sequence[Array | None]
"""Values of an operator's inputs, None for those that are computed on the board."""

ViewsOf = Callable[[Array, Constants, Mapping[str, Any], int], list[Array]]
"""From the moved array, the operator's inputs and options and its number of outputs to its outputs."""


def strided_slice(array: Array, begin: Array, end: Array, strides: Array, options: Mapping[str, Any]) -> Array:
    """Slice an array as STRIDED_SLICE does.

    Parameters
    ----------
    array
        Any shape.
    begin, end, strides
        One entry for each listed dimension.
    options
        The masks of the schema: bit i is about entry i.

    Returns
    -------
    Array
        A view.

    Raises
    ------
    ValueError
        A stride is 0, an index that removes its dimension lies outside of it, or the entries do not fit the shape.
    """
    new, ellipsis = int(options.get("new_axis_mask", 0)), int(options.get("ellipsis_mask", 0))
    listed = [np.ravel(values).tolist() for values in (begin, end, strides)]
    if len({len(values) for values in listed}) != 1:
        raise ValueError("begin, end and strides differ in length")
    count = len(listed[0])
    if (new | ellipsis) >> count:
        raise ValueError("a mask for more entries than there are")
    added = sum(1 for i in range(count) if new >> i & 1 and not ellipsis >> i & 1)
    taken: list[Any] = []
    axis = 0
    for i, (start, stop, stride) in enumerate(zip(*listed, strict=True)):
        if ellipsis >> i & 1:
            spanned = max(array.ndim + added - count + 1, 1)
            taken += [slice(None)] * spanned
            axis += spanned
        elif new >> i & 1:
            taken.append(np.newaxis)
        else:
            if axis >= array.ndim:
                raise ValueError("more entries than dimensions")
            taken.append(_index(array.shape[axis], start, stop, stride, i, options))
            axis += 1
    return np.asarray(array[(*taken, ...)])  # without the ellipsis, a scalar would be a copy


def _index(size: int, start: int, stop: int, stride: int, entry: int, options: Mapping[str, Any]) -> slice | int:
    """One dimension's index, clamped as the interpreter clamps it."""
    if stride == 0:
        raise ValueError("stride 0")
    low, high = (0, size) if stride > 0 else (-1, size - 1)

    def placed(value: int) -> int:
        return min(max(value + size if value < 0 else value, low), high)

    first = placed(start)
    if int(options.get("begin_mask", 0)) >> entry & 1:
        first = 0 if stride > 0 else size - 1
    if int(options.get("shrink_axis_mask", 0)) >> entry & 1:
        if stride < 0 or not 0 <= first < size:
            raise ValueError(f"index {start} of a dimension of {size}")
        return first
    last = placed(stop + first if options.get("offset", False) else stop)
    if int(options.get("end_mask", 0)) >> entry & 1:
        last = size if stride > 0 else -1
    if (last - first) * stride <= 0:
        return slice(0, 0)  # NumPy would take -1, before the first, for the last
    return slice(first, last if last >= 0 else None, stride)


def _strided(array: Array, inputs: Constants, options: Mapping[str, Any], _count: int) -> list[Array]:
    begin, end, strides = (_known(values) for values in inputs[1:4])
    return [strided_slice(array, begin, end, strides, options)]


def _slice(array: Array, inputs: Constants, _options: Mapping[str, Any], _count: int) -> list[Array]:
    begins, sizes = (np.ravel(_known(values)).tolist() for values in inputs[1:3])
    taken = []
    for length, begin, size in zip(array.shape, begins, sizes, strict=True):
        end = length if size == -1 else begin + size
        if not 0 <= begin < end <= length:
            raise ValueError(f"from {begin} to {end} of a dimension of {length}")
        taken.append(slice(begin, end))
    return [array[tuple(taken)]]


def _transpose(array: Array, inputs: Constants, _options: Mapping[str, Any], _count: int) -> list[Array]:
    return [array.transpose(np.ravel(_known(inputs[1])).tolist())]


def _split(array: Array, inputs: Constants, _options: Mapping[str, Any], count: int) -> list[Array]:
    axis = _one(inputs[0])
    if array.shape[axis] % count:
        raise ValueError(f"a dimension of {array.shape[axis]} in {count} equal parts")
    return list(np.split(array, count, axis))


def _split_by_sizes(array: Array, inputs: Constants, _options: Mapping[str, Any], count: int) -> list[Array]:
    axis, sizes = _one(inputs[2]), np.ravel(_known(inputs[1])).tolist()
    length = array.shape[axis]
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = length - sum(sizes) - 1
    if len(sizes) != count or min(sizes) < 1 or sum(sizes) != length:
        raise ValueError(f"a dimension of {length} in parts of {sizes}")
    return list(np.split(array, np.cumsum(sizes)[:-1].tolist(), axis))


def _unpack(array: Array, _inputs: Constants, options: Mapping[str, Any], count: int) -> list[Array]:
    axis = int(options.get("axis", 0))
    if array.shape[axis] != count:
        raise ValueError(f"a dimension of {array.shape[axis]} in {count} parts")
    moved = np.moveaxis(array, axis, 0)
    return [np.asarray(moved[number, ...]) for number in range(count)]


def _known(values: Array | None) -> Array:
    if values is None:
        raise ValueError("is computed")
    return values


def _one(values: Array | None) -> int:
    return int(np.ravel(_known(values)).item())


VIEWS: Mapping[str, ViewsOf] = {
    "SLICE": _slice,
    "SPLIT": _split,
    "SPLIT_V": _split_by_sizes,
    "STRIDED_SLICE": _strided,
    "TRANSPOSE": _transpose,
    "UNPACK": _unpack,
}
"""By TFLite's name. Each raises ValueError or IndexError where options, constants and shapes do not fit each other."""


def moved_input(op: str) -> int:
    """Position of the input that an operator of :data:`VIEWS` moves."""
    return 1 if op == "SPLIT" else 0


def placeholder(shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Make a dense array of single bytes without memory behind it, whose views tell strides and must not be read."""
    strides = [1]
    for size in reversed(shape[1:]):
        strides.insert(0, strides[0] * size)
    return np.lib.stride_tricks.as_strided(np.empty(1, np.int8), shape, strides[: len(shape)])


def strides_of(whole: Array, view: Array) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Where a view of single bytes finds its values.

    Parameters
    ----------
    whole
        The dense array.
    view
        One of its views.

    Returns
    -------
    tuple
        Its first value's distance from the start, and its sizes and strides with neighbouring dimensions joined where
        they are one run, outermost first.
    """
    start = view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    sizes: list[int] = []
    strides: list[int] = []
    for size, stride in zip(view.shape, view.strides, strict=True):
        if size == 1:
            continue
        if sizes and strides[-1] == size * stride:
            sizes[-1], strides[-1] = sizes[-1] * size, stride
        else:
            sizes.append(size)
            strides.append(stride)
    return start, tuple(sizes), tuple(strides)
