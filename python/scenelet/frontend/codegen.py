"""The front end's tables as C sources for the firmware."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..core.templating import render
from .flash_tables import DeviceTables, device_tables
from .tables import Tables

_COLUMNS = 112
_C_TYPES = {"int8": "int8_t", "int32": "int32_t", "uint16": "uint16_t"}


def render_frontend(tables: Tables, name: str = "scn_frontend_tables", *, form: str = "fast") -> dict[str, str]:
    """Render the header and the source of a front end's tables.

    Parameters
    ----------
    tables
        From :func:`scenelet.frontend.tables.make_tables`.
    name
        Name of the two files and of their ``scn_frontend_tables_t``. Macros always begin with ``SCN_FRONTEND_``.
    form
        "fast" or "compact": see :func:`scenelet.frontend.flash_tables.device_tables`.

    Returns
    -------
    dict
        Text by file name. The same tables give the same bytes: there is no time stamp and no machine name in them.
    """
    device = device_tables(tables, form)
    values = {
        "version": __version__,
        "name": name,
        "tables": tables,
        "config": tables.config,
        "device": device,
        "arrays": list(_arrays(device)),
    }
    return {f"{name}.{suffix}": render(__package__, f"scn_frontend_tables.{suffix}", values) for suffix in ("h", "c")}


def _arrays(device: DeviceTables) -> Iterator[dict[str, Any]]:
    for name, member, array in device.arrays:
        c_type, lines = _C_TYPES[array.dtype.name], list(_lines(array))
        yield {"name": name, "member": member, "type": c_type, "size": array.size, "lines": lines}


def _lines(array: NDArray[Any]) -> Iterator[str]:
    """C initializers in lines of at most ``_COLUMNS`` characters."""
    line = ""
    for literal in _literals(array):
        if line and len(line) + len(literal) + 2 > _COLUMNS:
            yield line
            line = ""
        line += f" {literal}," if line else f"{literal},"
    yield line


def _literals(array: NDArray[Any]) -> Iterable[str]:
    least = np.iinfo(np.int32).min
    # C has no literal for the smallest int32: -2147483648 is the negation of a constant that does not fit.
    return (str(value) if value != least else "INT32_MIN" for value in array.tolist())
