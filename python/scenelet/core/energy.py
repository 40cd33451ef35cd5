"""Energy of training and evaluation, by codecarbon's offline tracker (the extra ``energy``).

The figure is the energy of the whole computer during the work, in kWh. If the processor has no energy counter (RAPL),
codecarbon estimates the energy from rated power and load, and the figure is no better than that estimate. Nothing is
sent anywhere.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .extras import missing
from .files import is_there, write_text
from .json_files import checked, read_object

ENERGY = "energy.json"
_TASK = "work"


@dataclass(frozen=True)
class Energy:
    """Energy in kWh, total and by component, and the duration of the measurement in seconds."""

    kwh: float = 0.0
    cpu_kwh: float = 0.0
    gpu_kwh: float = 0.0
    ram_kwh: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Energy) -> Energy:
        """Sum of both measurements."""
        return Energy(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


def _tracker() -> Any:
    try:
        from codecarbon import OfflineEmissionsTracker
    except ImportError:
        raise missing("codecarbon", "energy") from None
    logging.getLogger("codecarbon").disabled = True
    # The country only affects grams of CO2, which are not reported.
    return OfflineEmissionsTracker(
        country_iso_code="FRA", output_methods=[], log_level="critical", allow_multiple_runs=True
    )


class Meter:
    """Measures energy in laps; a lap lasts from the previous one, or the start, to the call of :meth:`lap`.

    Parameters
    ----------
    folder
        Run folder; every lap is added to its ``energy.json``, so that a killed run keeps its finished laps. None keeps
        the sum in memory.

    Raises
    ------
    ToolError
        codecarbon is not installed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._tracker = _tracker()
        self.total = read_energy(folder) or Energy() if folder else Energy()
        self._tracker.start_task(_TASK)

    def lap(self) -> None:
        """Add the energy since the last lap, and continue."""
        self.stop()
        self._tracker.start_task(_TASK)

    def stop(self) -> None:
        """Add the energy since the last lap, and stop."""
        used = self._tracker.stop_task()
        parts = (used.energy_consumed, used.cpu_energy, used.gpu_energy, used.ram_energy, used.duration)
        self.total += Energy(*(float(part) for part in parts))
        if self._folder:
            write_text(self._folder / ENERGY, json.dumps(asdict(self.total), indent=2) + "\n")


def read_energy(folder: Path) -> Energy | None:
    """Energy of a run so far; None if it was not measured.

    Raises
    ------
    InputError
        The file is damaged or cannot be read.
    """
    path = folder / ENERGY
    if not is_there(path):
        return None
    remedy = "delete that file; what was measured is lost"
    return checked(Energy, read_object(path, remedy), path, remedy)
