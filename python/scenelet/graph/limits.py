"""Limits on a model's cost, and the check that every stage calls.

Which limits hold is a choice of three: "dcase", the challenge's and the board's; "board", the board's alone; "none".
The challenge's limits are DCASE 2023 task 1's: 128 kB of parameters, zero-valued ones included, and 30 million
multiply-accumulates for the inference on one 1-s clip. kB is 1,000 bytes here. The multiply-accumulates are those of
:mod:`.cost`, which are never fewer than the challenge's tool counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..config.recipe import Recipe
from ..errors import InputError, LimitExceeded
from .cost import Cost, LayerCost

PARAMS_BYTES = 128_000
MACS = 30_000_000

RULES = ("dcase", "board", "none")


@dataclass(frozen=True)
class Limits:
    """The limits that hold for a model.

    Attributes
    ----------
    rule
        One of :data:`RULES`.
    set_by
        What chose them: an option, a recipe, a model's metadata.

    Raises
    ------
    InputError
        The rule is none of :data:`RULES`.
    """

    rule: str = "dcase"
    set_by: str = "by default"

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise InputError(f"limits '{self.rule}'", "unknown", f"choose one of: {', '.join(RULES)}")

    @property
    def params_bytes(self) -> int | None:
        """Most parameters, bytes; None for any number."""
        return PARAMS_BYTES if self.rule == "dcase" else None

    @property
    def macs(self) -> int | None:
        """Most multiply-accumulates; None for any number."""
        return MACS if self.rule == "dcase" else None

    @property
    def of_board(self) -> bool:
        """Whether a board's memory is a limit."""
        return self.rule != "none"

    def __str__(self) -> str:
        return f"limits {self.rule}, set {self.set_by}"


@dataclass(frozen=True)
class Board:
    """Memory of a board in bytes, and its clock.

    Attributes
    ----------
    clock_hz
        Of the processor.
    wait_states
        Cycles that the processor waits for a line of flash at this clock.
    """

    name: str
    flash_bytes: int
    ram_bytes: int
    clock_hz: int = 168_000_000
    wait_states: int = 5


@dataclass(frozen=True)
class Violation:
    """One limit that is exceeded.

    Attributes
    ----------
    limit
        Name of the quantity.
    value, allowed
        Cost and limit, in ``unit``.
    shrink
        The layers that contribute most, with their share.
    """

    limit: str
    value: int
    allowed: int
    unit: str
    shrink: tuple[str, ...] = ()

    def __str__(self) -> str:
        value = f"{self.limit} {self.value:,} {self.unit}".rstrip()
        text = f"{value}: over the limit of {self.allowed:,} by {self.value - self.allowed:,}"
        if self.shrink:
            text += f"; shrink {', '.join(self.shrink)}"
        return text


def of_recipe(recipe: Recipe) -> Limits:
    """Limits that a recipe's network is held to."""
    return Limits(recipe.limits.rule, f"by recipe {recipe.name}")


def _largest(layers: Iterable[LayerCost], attribute: str, count: int = 3) -> tuple[str, ...]:
    ranked = sorted(layers, key=lambda layer: -getattr(layer, attribute))[:count]
    return tuple(f"{layer.name} ({getattr(layer, attribute):,})" for layer in ranked if getattr(layer, attribute))


def violations(
    cost: Cost,
    board: Board | None = None,
    *,
    flash_bytes: int | None = None,
    ram_bytes: int | None = None,
    held: Limits | None = None,
) -> list[Violation]:
    """List the limits that a model exceeds.

    Parameters
    ----------
    cost
        Counted by :func:`scenelet.graph.cost.count`.
    board
        Also check the memory of this board.
    flash_bytes, ram_bytes
        Measured or planned use of the board's memory; by default the parameters and the peak of the activations.
    held
        The limits that hold; by default the challenge's.

    Returns
    -------
    list of Violation
        Empty if the model is within all limits.
    """
    held = held or Limits()
    found = []
    if held.params_bytes is not None and cost.params_bytes > held.params_bytes:
        largest = _largest(cost.layers, "params_bytes")
        found.append(Violation("parameters", cost.params_bytes, held.params_bytes, "B", largest))
    if held.macs is not None and cost.macs > held.macs:
        found.append(Violation("MACs", cost.macs, held.macs, "", _largest(cost.layers, "macs")))
    if board and held.of_board:
        flash = cost.params_bytes if flash_bytes is None else flash_bytes
        ram = cost.peak_activation_bytes if ram_bytes is None else ram_bytes
        if flash > board.flash_bytes:
            largest = _largest(cost.layers, "params_bytes")
            found.append(Violation(f"flash of {board.name}", flash, board.flash_bytes, "B", largest))
        if ram > board.ram_bytes:
            largest = _largest(cost.layers, "live_bytes")
            found.append(Violation(f"RAM of {board.name}", ram, board.ram_bytes, "B", largest))
    return found


def require(
    cost: Cost,
    subject: object,
    held: Limits | None = None,
    board: Board | None = None,
    *,
    flash_bytes: int | None = None,
    ram_bytes: int | None = None,
) -> None:
    """Check a model against its limits; parameters as of :func:`violations`.

    Raises
    ------
    LimitExceeded
        The message names every limit exceeded, the layers to shrink, and what set the limits.
    """
    held = held or Limits()
    found = violations(cost, board, flash_bytes=flash_bytes, ram_bytes=ram_bytes, held=held)
    if found:
        raise exceeded(subject, found, held)


def exceeded(subject: object, found: Iterable[Violation], held: Limits) -> LimitExceeded:
    """Make the error of a model over its limits."""
    return LimitExceeded(subject, "; ".join(map(str, found)), f"these are {held}")
