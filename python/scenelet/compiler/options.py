"""What a user may choose about a model's code; the bits that it computes never depend on it."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError
from ..frontend.flash_tables import check_form

WEIGHTS = ("packed", "expanded", "auto")

PRODUCT_RAM_BYTES = 57_344
"""RAM that the product firmware takes at most beside the arena: buffers, front end, stack. The tests measure it."""

RAM_BYTES = 131_072 - PRODUCT_RAM_BYTES
"""Arena up to which speed counts more than memory: what a board with 128 KiB leaves beside the product."""

WAIT_STATES = 5
"""Of the flash of an STM32F4 at 168 MHz."""

MOST_WAIT_STATES = 15
"""What the flash controller of an STM32F4 can be set to."""

FLASH_BYTES = 192 * 1024
"""Constants up to which "auto" spends flash on speed."""


@dataclass(frozen=True)
class Options:
    """How to compile.

    Attributes
    ----------
    fusion
        Join operators and run segments depth first. Without, every tensor of the file can be observed.
    weights
        "packed": INT8, transformed while the network runs. "expanded": transformed on the host, four times as large,
        wherever that is quicker. "auto": expanded while all constants take at most :data:`FLASH_BYTES`.
    ram_bytes
        Arena that is small enough; a larger one is made smaller at the price of instructions, as far as can be.
    frontend_tables
        "fast", "compact" (the smallest in flash), or "auto": compact with packed weights.
    spare_ram
        Whether to take the smallest arena whose plan is nearly as fast as the fastest that fits; by default (None)
        where ``ram_bytes`` is the default, so that RAM that nobody offered is not spent without gain.
    wait_states
        Cycles that the processor waits for a line of flash: what is quickest depends on them. 5 at 168 MHz, 2 at 84.

    Raises
    ------
    InputError
        For ``weights`` that is none of :data:`WEIGHTS`, unknown ``frontend_tables``, a negative size, or wait states
        that no STM32F4 has.
    """

    fusion: bool = True
    weights: str = "packed"
    ram_bytes: int = RAM_BYTES
    frontend_tables: str = "auto"
    wait_states: int = WAIT_STATES
    spare_ram: bool | None = None

    def __post_init__(self) -> None:
        if self.weights not in WEIGHTS:
            raise InputError(f"weights '{self.weights}'", "unknown", f"choose one of: {', '.join(WEIGHTS)}")
        check_form(self.frontend_tables)
        if self.ram_bytes < 0:
            raise InputError(f"{self.ram_bytes} bytes of RAM", "negative", "give 0 for the smallest arena")
        if not 0 <= self.wait_states <= MOST_WAIT_STATES:
            raise InputError(f"{self.wait_states} wait states", "impossible", f"give 0 to {MOST_WAIT_STATES}")

    @property
    def spares_ram(self) -> bool:
        """The choice made: whether RAM counts where it buys next to no speed."""
        return self.ram_bytes == RAM_BYTES if self.spare_ram is None else self.spare_ram

    @property
    def frontend_form(self) -> str:
        """The choice made: "fast" or "compact"; never "auto"."""
        if self.frontend_tables != "auto":
            return self.frontend_tables
        return "compact" if self.weights == "packed" else "fast"


DEFAULT = Options()
