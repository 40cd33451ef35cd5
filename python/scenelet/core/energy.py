"""Energy of training and evaluation, by codecarbon's offline tracker (optional: ``pip install 'scenelet[energy]'``).

It is that of the whole computer while the work ran, in kWh. Where the processor does not count its own energy (RAPL),
codecarbon estimates it from the processor's rated power and load; a figure is therefore no better than that estimate.
Nothing is sent anywhere.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ToolError
from .files import write_text

ENERGY = "energy.json"
_TASK = "work"


@dataclass(frozen=True)
class Energy:
    """Energy in kWh, in all and by part of the computer, and the seconds that it was measured over."""

    kwh: float = 0.0
    cpu_kwh: float = 0.0
    gpu_kwh: float = 0.0
    ram_kwh: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Energy) -> Energy:
        """What both took."""
        return Energy(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


def _tracker() -> Any:
    try:
        from codecarbon import OfflineEmissionsTracker
    except ImportError:
        raise ToolError("codecarbon", "is not installed", "pip install 'scenelet[energy]'") from None
    logging.getLogger("codecarbon").disabled = True
    # The country only matters for grams of CO2, which are not reported.
    return OfflineEmissionsTracker(
        country_iso_code="FRA", output_methods=[], log_level="critical", allow_multiple_runs=True
    )


class Meter:
    """Measures laps: everything from the last lap, or the start, to this one.

    Parameters
    ----------
    folder
        Run folder whose ``energy.json`` every lap is added to, so that a run which was killed keeps what its laps took;
        without one the sum stays in memory.

    Raises
    ------
    ToolError
        Where codecarbon is not installed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._tracker = _tracker()
        self.total = read_energy(folder) or Energy() if folder else Energy()
        self._tracker.start_task(_TASK)

    def lap(self) -> None:
        """Add what was used since the last lap, and go on."""
        self.stop()
        self._tracker.start_task(_TASK)

    def stop(self) -> None:
        """Add what was used since the last lap."""
        told = self._tracker.stop_task()
        parts = (told.energy_consumed, told.cpu_energy, told.gpu_energy, told.ram_energy, told.duration)
        self.total += Energy(*(float(part) for part in parts))
        if self._folder:
            write_text(self._folder / ENERGY, json.dumps(asdict(self.total), indent=2) + "\n")


def read_energy(folder: Path) -> Energy | None:
    """Energy that a run took so far; None where it was not measured."""
    try:
        return Energy(**json.loads((folder / ENERGY).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
