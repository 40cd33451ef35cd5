"""A front end's tables in flash: all of them, or a compact form that gives the same features.

A raised cosine window can be computed from the FFT's sine table, except for the last bit of a few values. The compact
form does so and lists those values. A window without such a form is stored as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .tables import WINDOW_MEAN, Tables

FORMS = ("fast", "compact", "auto")
"""Forms that a user may choose; the caller resolves "auto" by the free flash."""

_END = np.uint16(0xFFFF)
_HALF = 1 << 31


def check_form(form: str) -> None:
    """Check that a form is one of :data:`FORMS`.

    Raises
    ------
    InputError
        Where it is not; names the forms.
    """
    if form not in FORMS:
        raise InputError(f"front end tables '{form}'", "unknown", f"choose one of: {', '.join(FORMS)}")


@dataclass(frozen=True, eq=False)
class ComputedWindow:
    """scn_window_computed_t: ``mean - mulr(cosine, swing)`` and corrections.

    Attributes
    ----------
    mean, swing
        int32.
    fix
        uint16: corrections by 1 in the order of their use, then the end mark; see scn_frontend.h.
    """

    mean: int
    swing: int
    fix: NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class DeviceTables:
    """A front end's tables as they are stored in flash."""

    tables: Tables
    computed: ComputedWindow | None = None

    @property
    def transform(self) -> str:
        """The C function that windows the samples; see scn_fft_window.h."""
        radix = 4 if self.tables.config.n_fft & 0xAAAA else 2
        return f"scn_transform{'_computed' if self.computed else ''}_radix{radix}"

    @property
    def arrays(self) -> Iterator[tuple[str, str, NDArray[np.generic]]]:
        """(name in C, member of scn_frontend_tables_t, values) of every array."""
        for name in self.tables.DEVICE_ARRAYS:
            if name != "window" or self.computed is None:
                yield name, name, getattr(self.tables, name)
        if self.computed is not None:
            yield "window_fix", "computed.fix", self.computed.fix

    @property
    def table_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(values.nbytes for _, _, values in self.arrays)


def device_tables(tables: Tables, form: str = "fast") -> DeviceTables:
    """Choose the form of the tables in flash.

    Parameters
    ----------
    tables
        From :func:`scenelet.frontend.tables.make_tables`.
    form
        "fast": as they are. "compact": the smallest form with the same features, at some instructions per frame.

    Raises
    ------
    InputError
        For another form.
    """
    check_form(form)
    plain = DeviceTables(tables)
    if form != "compact" or (window := computed_window(tables)) is None:
        return plain
    smaller = DeviceTables(tables, window)
    return smaller if smaller.table_bytes < plain.table_bytes else plain


def computed_window(tables: Tables) -> ComputedWindow | None:
    """Express a window by the sine table.

    Returns
    -------
    ComputedWindow or None
        None for a window shorter than n_fft, or one that differs from the formula by more than 1.
    """
    if tables.config.window_samples != tables.config.n_fft:
        return None
    mean = WINDOW_MEAN[tables.config.window]
    scale = 2.0**tables.window_bits
    window = ComputedWindow(round(mean * scale), round((1 - mean) * 2 * scale), np.array([_END]))
    missed = tables.full_window - _formula(window, tables.sine.astype(np.int64))
    if np.abs(missed).max() > 1:
        return None
    return ComputedWindow(window.mean, window.swing, np.append(_corrections(missed), _END))


def _formula(window: ComputedWindow, sine: NDArray[np.int64]) -> NDArray[np.int64]:
    """All n_fft values as the C computes them, before corrections."""
    swung = (sine * window.swing + _HALF) >> 32
    rise, fall = swung[:-1], swung[:0:-1]
    return window.mean + np.concatenate([-fall, rise, fall, -rise])


def _corrections(missed: NDArray[np.int64]) -> NDArray[np.uint16]:
    quarter = missed.size // 4
    (places,) = np.nonzero(missed)
    codes = 16 * (places % quarter // 2) + 4 * (places // quarter) + 2 * (places % 2) + (missed[places] > 0)
    return np.sort(codes).astype(np.uint16)
