"""What every kernel states of one way to run a step as a stage: stripe, memory, cost, and its constants."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..options import WAIT_STATES
from ..program import Records, Step, Table
from .cost import Cost, Terms, cost_of

POSITIONS = 4
"""Output positions that a convolution kernel computes together."""


@dataclass(frozen=True)
class Work:
    """A step that is to run as a stage.

    Attributes
    ----------
    step
        As lowered.
    pool
        MAX_POOL_2D that the kernel applies to its sums, or None.
    expanded
        Whether weights may also lie in flash transformed or widened.
    wait_states
        Of the flash: they decide what is quickest.
    most_bytes
        Flash that such weights may take.
    """

    step: Step
    pool: Step | None = None
    expanded: bool = False
    wait_states: int = WAIT_STATES
    most_bytes: int = sys.maxsize

    @property
    def pool_size(self) -> tuple[int, int]:
        """Rows and columns that become one."""
        window = self.pool.fields["window"] if self.pool else {"height": 1, "width": 1}
        return int(window["height"]), int(window["width"])

    @property
    def weight_forms(self) -> tuple[bool, ...]:
        """Values of ``expanded`` to consider, the quicker form first."""
        return (True, False) if self.expanded else (False,)


@dataclass(frozen=True)
class Layer:
    """A stage while its constants are made.

    Attributes
    ----------
    name
        Of the stage within its segment, such as "s3"; the names of its constants start with it.
    fields
        Members of the step's parameter struct; tables under their names within the segment.
    tables
        The step's tables under those names, by their kind in the step.
    post
        scn_post_t of the map that the kernel applies as it stores, or None.
    pool_size
        Rows and columns that the kernel pools into one.
    row_elements
        Values of one output row.
    weights
        As in the .tflite; empty for a step without weights.
    falling
        By channel, whether the map that the kernel applies falls; empty without such a map.
    """

    name: str
    fields: Mapping[str, Any]
    tables: Mapping[str, Table]
    post: Mapping[str, object] | None
    pool_size: tuple[int, int]
    row_elements: int
    weights: NDArray[Any]
    falling: NDArray[np.bool_]


@dataclass(frozen=True)
class Parameters:
    """What a stage's constants are: the engine's row-wise function, its parameter struct, and the tables."""

    run: str
    record: Records
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Rows:
    """Output rows ``start`` to ``end`` - 1 of one call, and the bytes of a row of the input and of the output."""

    start: int
    end: int
    source_bytes: int
    target_bytes: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant(ABC):
    """One way to run a stage.

    Attributes
    ----------
    step
        What it runs.
    stripe
        Output rows at a time.
    terms
        What it works through for the whole map.
    why
        For people: what decided.
    expanded
        Whether its weights lie transformed or widened in flash.
    """

    step: Step
    stripe: int
    terms: Terms
    why: str

    expanded: bool = False

    needs_table: ClassVar[bool] = False
    """Whether a map that it applies as it stores must be a table of INT8, not two affine steps."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Of the kernel, for people."""

    @cached_property
    def cost(self) -> Cost:
        """Estimate for the whole map."""
        return cost_of(self.terms)

    @property
    def instructions(self) -> int:
        """Estimated instructions for the whole map."""
        return int(self.cost.instructions)

    @property
    def scratch_bytes(self) -> int:
        """Working memory."""
        return self.step.scratch_bytes

    @property
    def weight_bytes(self) -> int:
        """Flash of weights that have a form of their own; 0 where they are the step's."""
        return 0

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """C expressions over the engine's macros that must hold for these sizes."""
        return self.step.static_asserts

    @abstractmethod
    def parameters(self, layer: Layer) -> Parameters:
        """Make the constants of a stage that runs this way."""

    @property
    def in_place(self) -> bool:
        """Whether the output may start where the input does, if one call makes all rows."""
        return False

    def leads(self, rows: Rows, first: Callable[[int], int], height: int) -> Iterator[int]:  # noqa: ARG002
        """Tell how far the input must start after the output for a call to have read what it overwrites.

        Parameters
        ----------
        rows
            Of the call.
        first
            The first input row that an output row needs.
        height
            Rows of the output.

        Yields
        ------
        int
            Bytes from the output's start to the input's; the largest counts.
        """
        yield rows.end * rows.target_bytes - first(rows.start) * rows.source_bytes

    def whole(self, height: int) -> Variant:
        """Run all ``height`` rows at once, where no rows are kept in lines and scratch does not grow with them."""
        return replace(self, stripe=height)


@dataclass(frozen=True, kw_only=True, eq=False)
class Striped(Variant):
    """A kernel whose scratch grows with the rows that it makes at a time.

    Attributes
    ----------
    alone
        What to run instead where no rows are kept in lines, if that is quicker.
    """

    alone: Variant | None = None

    _MOST_STRIPE: ClassVar[int] = 16
    _ALONE_BYTES: ClassVar[int] = 8192
    """Scratch from which more rows at a time save next to nothing."""

    def whole(self, height: int) -> Variant:  # noqa: ARG002
        """See :class:`Variant`."""
        return self.alone or self

    @classmethod
    def with_alone(cls, ways: tuple[Self, ...], wait_states: int) -> tuple[Self, ...]:
        """Order ways, listed by growing stripe: line buffers get up to 16 rows; alone, all rows where that is small."""
        if not ways:
            return ()
        most = ways[-1]
        few = sorted((way for way in ways if way.stripe <= cls._MOST_STRIPE), key=lambda way: way.cost.at(wait_states))
        return (replace(few[0], alone=most if most.scratch_bytes <= cls._ALONE_BYTES else None), *few[1:])


def stripes_up_to(height: int) -> tuple[int, ...]:
    """Rows at a time to consider: few for line buffers, and the whole map."""
    return (*(stripe for stripe in (1, 2, 4, 8, 16) if stripe < height), height)


def is_plain(window: Mapping[str, int]) -> bool:
    """Whether strides and dilations are 1."""
    return all(window[key] == 1 for key in ("stride_h", "stride_w", "dilation_h", "dilation_w"))


NO_WEIGHTS = np.zeros(0, np.int8)
