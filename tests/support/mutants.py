"""Models that are nearly right: fields of a .tflite changed at random, and bytes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from networks import KINDS, random_network

from scenelet.tflite import object_model

_INTEGERS = (-(2**31), -129, -128, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 127, 128, 255, 256, 1000, 65_536, 2**31 - 1)
_SCALES = (0.0, -1.0, float("nan"), float("inf"), 1e-30, 1e30)
_ATTEMPTS = 20


def mutant(seed: int) -> bytes:
    """A generated network with up to three fields or four bytes changed; a function of the seed."""
    chance = np.random.default_rng(seed)
    return changed(
        chance, random_network(int(chance.integers(10_000)), int(chance.integers(1, 6)), str(chance.choice(KINDS)))
    )


def changed(chance: np.random.Generator, whole: bytes) -> bytes:
    """A network with up to three fields or four bytes changed."""
    for _ in range(_ATTEMPTS):
        if chance.random() < 0.4:
            return _bytes_changed(chance, whole)
        tree = object_model.unpack(whole)
        try:
            for _ in range(int(chance.integers(1, 4))):
                _change_field(chance, tree)
            return object_model.pack(tree)
        except Exception:  # nothing left to change, or a value that the schema cannot hold: draw another
            continue
    return whole


def _bytes_changed(chance: np.random.Generator, whole: bytes) -> bytes:
    damaged = bytearray(whole)
    for position in chance.integers(8, len(whole) - 4, int(chance.integers(1, 5))):
        kind = chance.random()
        if kind < 0.5:
            damaged[position] ^= int(chance.integers(1, 256))
        elif kind < 0.75:
            damaged[position] = int(chance.integers(0, 16))
        else:
            damaged[position : position + 4] = (int(chance.choice(_INTEGERS)) & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(damaged)


def _tables(value: Any) -> Iterator[Any]:
    """Every table of an object tree."""
    if isinstance(value, list):
        for one in value:
            yield from _tables(one)
    elif hasattr(value, "__dict__"):
        yield value
        for one in vars(value).values():
            yield from _tables(one)


def _change_field(chance: np.random.Generator, tree: Any) -> None:
    graph = tree.subgraphs[0]
    roots: tuple[Any, ...] = (graph.tensors, graph.operators, tree.operatorCodes, tree)
    tables = [table for table in _tables(roots[chance.choice(4, p=(0.35, 0.35, 0.1, 0.2))]) if vars(table)]
    table = tables[chance.integers(len(tables))]
    name = str(chance.choice(list(vars(table))))
    setattr(table, name, _changed(chance, getattr(table, name)))


def _changed(chance: np.random.Generator, value: Any) -> Any:
    """A value of the same kind, or None."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | np.integer):
        return int(chance.choice([int(value) + 1, int(value) - 1, chance.integers(0, 160), chance.choice(_INTEGERS)]))
    if isinstance(value, float):
        return float(chance.choice([*_SCALES, value * 2, value * 1e6, value * 1e-6]))
    if not isinstance(value, list | np.ndarray) or not len(value) or chance.random() < 0.1:
        return None
    values = list(value)
    place = int(chance.integers(len(values)))
    kind = chance.random()
    if kind < 0.2:
        values.pop(place)
    elif kind < 0.4:
        values.append(values[place])
    elif kind < 0.6 or hasattr(values[place], "__dict__"):
        values[0], values[place] = values[place], values[0]
    else:
        values[place] = _changed(chance, values[place] if isinstance(value, list) else values[place].item())
    if isinstance(value, list):
        return values
    if value.dtype.kind == "f":
        return np.array(values, value.dtype)
    limits = np.iinfo(value.dtype)
    return np.clip(np.array(values, np.int64), limits.min, limits.max).astype(value.dtype)
