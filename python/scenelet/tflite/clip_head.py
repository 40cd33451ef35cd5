"""The clip head in integers: what a model's metadata hold of it, and the arithmetic that the firmware computes too.

After each window that is not silent, the network's INT8 embedding q (width,) is remembered, of the last ``windows``
windows. With u = q + 128, 0 to 255, and n remembered windows, the statistics of each value are, in sixteenths,

=========  =====================================================================================
mean       (32 sum(u) + n) / 2n, rounded down
max        16 max(u)
deviation  (2 r + n) / 2n, rounded down, with r the root, rounded down, of 256 (n sum(u^2) - sum(u)^2)
=========  =====================================================================================

A class's sum over all statistics of INT8 weight times statistic, plus its bias, times ``multiplier`` / 2^``shift`` is
its logit in sixteenths, rounded half up. The scores are the softmax with scale 1/256 and zero point -128, as those of
the network: with d the distance below the largest logit, at most 255, e = 65536 exp(-d/16) is a product of the
constants of :data:`POWERS` for the bits of d, rounded after each, and a score is (256 e + t/2) / t - 128 with t the sum
of all e, at most 127. ``scn_clip_head.c`` computes the same.
"""

from __future__ import annotations

import base64
import math
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..config.clip_head import Statistic
from ..graph.cost import ClipHeadSize

POWERS = tuple(round(65536 * math.exp(-(2**bit) / 16)) for bit in range(8))
"""65536 exp(-2^b / 16) for bits b of 0 to 7."""

MOST_BIAS = 1 << 28
MOST_WIDTH = 1024
TENSOR = "embedding"


class ClipHead(BaseModel):
    """Constants of a clip head, as the metadata hold them.

    Attributes
    ----------
    tensor
        Name of the network's tensor that is remembered: INT8, ``width`` values.
    windows
        Most windows that are remembered.
    statistics
        In the order of the weights.
    weights
        INT8 (classes, statistics, width), in base64.
    bias
        One a class.
    multiplier, shift
        From a class's sum to sixteenths of a logit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tensor: str = TENSOR
    width: Annotated[int, Field(ge=1, le=MOST_WIDTH)]
    windows: Annotated[int, Field(ge=1, le=32)]
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1, max_length=3)]
    weights: str
    bias: Annotated[tuple[Annotated[int, Field(ge=-MOST_BIAS, le=MOST_BIAS)], ...], Field(min_length=1, max_length=256)]
    multiplier: Annotated[int, Field(ge=1, lt=1 << 31)]
    shift: Annotated[int, Field(ge=1, le=62)]

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if len(base64.b64decode(self.weights, validate=True)) != len(self.bias) * self.inputs:
            raise ValueError("weights do not fit width, statistics and classes")
        return self

    @property
    def inputs(self) -> int:
        """Number of statistics that a class's sum is over."""
        return self.size.inputs

    @property
    def matrix(self) -> NDArray[np.int8]:
        """Weights as an array, (classes, statistics x width)."""
        return np.frombuffer(base64.b64decode(self.weights), np.int8).reshape(len(self.bias), self.inputs)

    @property
    def size(self) -> ClipHeadSize:
        """What its cost follows from."""
        return ClipHeadSize(self.width, len(self.statistics), self.windows, len(self.bias))


def make_clip_head(
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    statistics: tuple[Statistic, ...],
    windows: int,
    scale: float,
    zero_point: int,
) -> ClipHead:
    """Convert a clip head to integers.

    Parameters
    ----------
    weights, bias
        (statistics x width, classes) and (classes,), of real embeddings.
    statistics, windows
        See :class:`ClipHead`.
    scale, zero_point
        Of the network's INT8 embedding.
    """
    width = weights.shape[0] // len(statistics)
    step = max(float(np.abs(weights).max()), 1e-12) / 127
    quantized = np.rint(weights / step).astype(np.int8)
    # An embedding is scale * (u - 128 - zero_point); a deviation has no offset.
    offset = np.repeat([0.0 if name == "deviation" else scale * (128 + zero_point) for name in statistics], width)
    unit = step * scale / 16
    whole = np.rint((bias - offset @ (quantized * step)) / unit)
    shift = min(max(30 - math.floor(math.log2(step * scale)), 1), 62)
    return ClipHead(
        width=width,
        windows=windows,
        statistics=statistics,
        weights=base64.b64encode(np.ascontiguousarray(quantized.T).tobytes()).decode(),
        bias=tuple(int(one) for one in np.clip(whole, -MOST_BIAS, MOST_BIAS)),
        multiplier=min(max(round(step * scale * 2**shift), 1), (1 << 31) - 1),
        shift=shift,
    )


class ClipMemory:
    """The embeddings of the last windows, and the clip head's scores for them."""

    def __init__(self, head: ClipHead) -> None:
        self._head = head
        self._weights = head.matrix.astype(np.int64)
        self._recent: list[NDArray[np.int64]] = []

    def reset(self) -> None:
        """Forget all windows."""
        self._recent.clear()

    def push(self, embedding: NDArray[Any]) -> NDArray[np.int8]:
        """Remember the INT8 embedding (width values) of a window that is not silent; the scores (classes,) with it."""
        self._recent = [*self._recent, embedding.reshape(-1).astype(np.int64) + 128][-self._head.windows :]
        sums = self._weights @ self._statistics() + np.array(self._head.bias)
        half = 1 << (self._head.shift - 1)
        logits = ((int(one) * self._head.multiplier + half) >> self._head.shift for one in sums)
        return scores([min(max(one, -(1 << 31)), (1 << 31) - 1) for one in logits])

    def _statistics(self) -> NDArray[np.int64]:
        values = np.array(self._recent)
        count, total = len(values), values.sum(axis=0)
        spread = 256 * (count * (values * values).sum(axis=0) - total * total)
        roots = np.array([math.isqrt(int(one)) for one in spread])
        made = {
            "mean": (32 * total + count) // (2 * count),
            "max": 16 * values.max(axis=0),
            "deviation": (2 * roots + count) // (2 * count),
        }
        return np.concatenate([made[name] for name in self._head.statistics])


def scores(logits: list[int]) -> NDArray[np.int8]:
    """Softmax of logits in sixteenths, INT8 with scale 1/256 and zero point -128."""
    powers = [_power(min(max(logits) - one, 255)) for one in logits]
    total = sum(powers)
    return np.array([min((256 * one + total // 2) // total - 128, 127) for one in powers], np.int8)


def _power(distance: int) -> int:
    """65536 exp(-distance / 16)."""
    value = 65536
    for bit, constant in enumerate(POWERS):
        if distance >> bit & 1:
            value = (value * constant + 32768) >> 16
    return value


def clip_scores(
    head: ClipHead | None, embeddings: NDArray[np.int8], silent: NDArray[np.bool_]
) -> NDArray[np.int8] | None:
    """Scores after each window of one clip, (n, classes), of embeddings (n, width); None without a head.

    A silent window has the scores of the windows before it, or, where there was none, -128 for every class.
    """
    if head is None:
        return None
    memory, found = ClipMemory(head), np.full((len(embeddings), len(head.bias)), -128, np.int8)
    for number, (embedding, quiet) in enumerate(zip(embeddings, silent.tolist(), strict=True)):
        if not quiet:
            found[number] = memory.push(embedding)
        elif number:
            found[number] = found[number - 1]
    return found
