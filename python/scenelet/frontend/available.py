"""The front end that this computer can run: the firmware's C, or its specification in NumPy where no compiler is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core import toolchain
from ..core.notes import note
from . import fixed_point, native
from .tables import Tables
from .windows import cut


class AnyFrontend(Protocol):
    """What both front ends compute, with the same values."""

    tables: Tables

    def features(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """Features of windows; see :func:`.fixed_point.features`."""
        ...

    def recording(self, samples: NDArray[np.int32]) -> NDArray[np.int8]:
        """Features of every window of a recording, (n,) -> (windows, n_mels, frames); see :func:`.windows.cut`."""
        ...


class NumpyFrontend:
    """:mod:`.fixed_point` with its tables, in the form of :class:`.native.Frontend`."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def features(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """See :class:`AnyFrontend`."""
        return fixed_point.features(windows, self.tables)

    def recording(self, samples: NDArray[np.int32]) -> NDArray[np.int8]:
        """See :class:`AnyFrontend`."""
        return self.features(cut(samples, self.tables.config))


def open_frontend(tables: Tables) -> AnyFrontend:
    """Open the fastest front end of this computer; a note says where it is the slow one.

    Raises
    ------
    ToolError
        The compiler that is there refuses the sources.
    """
    compiler = toolchain.host_compiler()
    if toolchain.is_installed(compiler):
        return native.Frontend(tables)
    note("front end", f"{compiler} is not installed, so it runs in NumPy: the same features, about ten times slower")
    return NumpyFrontend(tables)
