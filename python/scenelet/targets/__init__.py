"""Where a model runs: ``litert``, ``tflm``, ``host``, ``qemu``, and a board, ``serial:PORT``."""

from __future__ import annotations

from pathlib import Path

from ..compiler.options import DEFAULT, Options
from ..errors import InputError
from .base import Target

NAMES = ("litert", "tflm", "host", "qemu")
SERIAL = "serial:"


def open_target(name: str, model: str | Path, options: Options = DEFAULT) -> Target:
    """Open a target by its command-line name, for use in a ``with`` statement.

    ``options`` say how "host" and "qemu" compile the model; the others do not compile it.

    Raises
    ------
    InputError
        For a name that is none of :data:`NAMES`.
    """
    # Each target brings its own libraries; only the chosen one is imported.
    if name == "litert":
        from .litert import LitertTarget

        return LitertTarget(model)
    if name == "tflm":
        from .tflm import TflmTarget

        return TflmTarget(model)
    if name == "host":
        from .host import HostTarget

        return HostTarget(model, options=options)
    if name == "qemu":
        from .qemu import QemuTarget

        return QemuTarget(model, options)
    if name.startswith(SERIAL):
        from .board import SerialTarget

        return SerialTarget(model, name.removeprefix(SERIAL))
    raise InputError(f"target '{name}'", "unknown", f"choose one of: {', '.join(NAMES)}, {SERIAL}PORT")
