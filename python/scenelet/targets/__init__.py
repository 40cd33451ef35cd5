"""Targets that run a model: ``litert``, ``tflm``, ``host``, ``qemu``, and ``serial:PORT`` for a board."""

from __future__ import annotations

from pathlib import Path

from ..compiler.options import DEFAULT, Options
from ..errors import InputError
from .base import Target

NAMES = ("litert", "tflm", "host", "qemu")
SERIAL = "serial:"


def open_target(name: str, model: str | Path, options: Options = DEFAULT) -> Target:
    """Open a target by its command-line name, for use in a ``with`` statement.

    Parameters
    ----------
    name
        One of :data:`NAMES`, or ``serial:PORT`` with a port as :func:`scenelet.targets.board.open_port` takes it.
    model
        Path of an INT8 .tflite.
    options
        Compiler options of "host" and "qemu"; the others do not compile the model.

    Raises
    ------
    InputError
        The name is unknown.
    """
    # Each target needs libraries of its own; only the chosen one is imported.
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
