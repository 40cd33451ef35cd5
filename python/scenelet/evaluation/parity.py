"""Bit-exact comparison of a target with TFLite's reference kernels, tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParityError
from ..graph import Tensor
from ..targets.base import Target
from ..targets.litert import LitertTarget

SEQUENCE = 50
"""Inputs of a network with state, one after the other, before it starts anew."""

EXTREMES = 4
"""Inputs that are not random: all at the type's least value, its largest, the zero point, and the ends in turn."""


@dataclass(frozen=True)
class Mismatch:
    """The first value that differs; ``position`` is its index in the tensor."""

    case: int
    tensor: int
    layer: str
    position: tuple[int, ...]
    expected: int
    got: int

    def __str__(self) -> str:
        where = f"tensor {self.tensor} of {self.layer} at {self.position}, input {self.case}"
        return f"{where}: {self.got} instead of {self.expected}"


@dataclass(frozen=True)
class ParityResult:
    """Result of a comparison.

    Attributes
    ----------
    cases
        Inputs compared.
    values
        INT8 values compared, over all tensors that the target gives access to.
    mismatches
        Values that differ.
    first_mismatch
        Of the first input with a mismatch, in the first tensor in execution order.
    sequences
        Of a network with state: how often it started anew; None without state.
    """

    target: str
    cases: int
    values: int
    mismatches: int
    first_mismatch: Mismatch | None = None
    sequences: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def require(self, subject: object) -> None:
        """Raise a ParityError unless every value agrees."""
        if self.first_mismatch is not None:
            problem = f"{self.mismatches:,} of {self.values:,} values differ, first {self.first_mismatch}"
            raise ParityError(subject, problem, f"compare that layer on {self.target} with litert")


def check(
    model: str | Path | bytes,
    target: Target,
    n: int = 16,
    seed: int = 0,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> ParityResult:
    """Run inputs through a target and through LiteRT's reference kernels.

    Parameters
    ----------
    model
        The .tflite that ``target`` runs.
    target
        The tensors that it gives access to are compared.
    n
        Inputs, at least 1: up to :data:`EXTREMES` extreme ones, the rest random.
    seed
        Seed of the random ones.
    progress
        Called with (inputs done, inputs).

    Returns
    -------
    ParityResult
        The same for the same arguments. A network with state starts anew every :data:`SEQUENCE` inputs.
    """
    with LitertTarget(model) as reference:
        made = (index for operator in reference.graph.operators for index in operator.outputs)
        order = dict.fromkeys([*reference.graph.inputs, *reference.graph.variables, *made])
        values = mismatches = 0
        first: Mismatch | None = None
        for case, one in enumerate(inputs(reference, n, seed)):
            if reference.stateful and case % SEQUENCE == 0:
                reference.reset()
                target.reset()
            expected, got = reference.tensors(one), target.tensors(one)
            for tensor in (index for index in order if index in got):
                wrong = np.argwhere(expected[tensor] != got[tensor])
                values += expected[tensor].size
                mismatches += len(wrong)
                if len(wrong) and first is None:
                    first = _describe(reference, case, tensor, tuple(wrong[0].tolist()), expected, got)
            if progress:
                progress(case + 1, n)
    return ParityResult(target.name, n, values, mismatches, first, -(-n // SEQUENCE) if reference.stateful else None)


def inputs(reference: LitertTarget, n: int, seed: int) -> Iterator[tuple[NDArray[np.int8], ...]]:
    """Make input tensors: extremes first, then random ones of every spread.

    Parameters
    ----------
    reference
        Gives the inputs' shapes and zero points.
    n, seed
        Number of inputs, and seed of the random ones.

    Yields
    ------
    tuple of NDArray[np.int8]
        One for each of the network's inputs, in its shape. Of several, each is extreme in another way.
    """
    chance = np.random.default_rng(seed)
    for case in range(n):
        yield tuple(_input(tensor, case + number, chance, case) for number, tensor in enumerate(reference.inputs))


def _input(tensor: Tensor, kind: int, chance: np.random.Generator, case: int) -> NDArray[np.int8]:
    """Values of an input: extreme ones of a kind in the first cases, then random ones."""
    zero_point = 0 if tensor.quantization is None else int(tensor.quantization.zero_point[0])
    least, most = int(np.iinfo(tensor.dtype).min), int(np.iinfo(tensor.dtype).max)
    if case < EXTREMES:
        turns = np.where(np.arange(tensor.elements) % 2, most, least)
        extremes = [np.full(tensor.elements, value) for value in (least, most, zero_point)] + [turns]
        one = extremes[kind % EXTREMES]
    else:
        # Inputs of a narrow range reach other roundings than full-range noise does.
        spread = int(chance.integers(1, 129)) * ((most + 1) // 128)
        one = np.clip(zero_point + chance.integers(-spread, spread, tensor.elements), least, most)
    return one.astype(tensor.dtype).reshape(tensor.shape)


def _describe(
    reference: LitertTarget,
    case: int,
    tensor: int,
    position: tuple[int, ...],
    expected: dict[int, NDArray[np.int8]],
    got: dict[int, NDArray[np.int8]],
) -> Mismatch:
    layers = {index: reference.graph.layer_name(op) for op in reference.graph.operators for index in op.outputs}
    values = int(expected[tensor][position]), int(got[tensor][position])
    return Mismatch(case, tensor, layers.get(tensor, "input"), position, *values)
