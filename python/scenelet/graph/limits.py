"""Limits on a model's cost, and the check that every stage calls.

The challenge's limits are DCASE 2023 task 1's: 128 kB of parameters, zero-valued ones included, and 30 million
multiply-accumulates for the inference on one 1-s clip. kB is 1,000 bytes here. The multiply-accumulates are those of
:mod:`.cost`, which are never fewer than the challenge's tool counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import LimitExceeded
from .cost import Cost, LayerCost

PARAMS_BYTES = 128_000
MACS = 30_000_000


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


def _largest(layers: Iterable[LayerCost], attribute: str, count: int = 3) -> tuple[str, ...]:
    ranked = sorted(layers, key=lambda layer: -getattr(layer, attribute))[:count]
    return tuple(f"{layer.name} ({getattr(layer, attribute):,})" for layer in ranked if getattr(layer, attribute))


def violations(
    cost: Cost, board: Board | None = None, *, flash_bytes: int | None = None, ram_bytes: int | None = None
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

    Returns
    -------
    list of Violation
        Empty if the model is within all limits.
    """
    found = []
    if cost.params_bytes > PARAMS_BYTES:
        found.append(
            Violation("parameters", cost.params_bytes, PARAMS_BYTES, "B", _largest(cost.layers, "params_bytes"))
        )
    if cost.macs > MACS:
        found.append(Violation("MACs", cost.macs, MACS, "", _largest(cost.layers, "macs")))
    if board:
        flash = cost.params_bytes if flash_bytes is None else flash_bytes
        ram = cost.peak_activation_bytes if ram_bytes is None else ram_bytes
        if flash > board.flash_bytes:
            found.append(
                Violation(f"{board.name} flash", flash, board.flash_bytes, "B", _largest(cost.layers, "params_bytes"))
            )
        if ram > board.ram_bytes:
            found.append(Violation(f"{board.name} RAM", ram, board.ram_bytes, "B", _largest(cost.layers, "live_bytes")))
    return found


def require(cost: Cost, subject: object) -> None:
    """Check a model against the challenge's limits.

    Raises
    ------
    LimitExceeded
        The message names every limit exceeded and the layers to shrink.
    """
    found = violations(cost)
    if found:
        raise LimitExceeded(subject, "; ".join(map(str, found)))
