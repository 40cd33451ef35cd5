"""The decimator's C: its taps as a header, and the firmware's code compiled for this computer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from cffi import FFI
from numpy.typing import NDArray

from .. import toolchain
from ..errors import InputError
from . import decimator

SOURCES = toolchain.FIRMWARE / "lib" / "frontend"
HEADER = SOURCES / "scn_decimator_taps.h"

# Room for one scn_decimator_t and one scn_cic_t, which this side never looks into.
_STATE_BYTES = 8192
_CDEF = """
bool scn_decimator_begin(void *, uint32_t, uint32_t);
size_t scn_decimator_push(void *, const int32_t *, size_t, int32_t *);
void scn_cic_begin(void *);
size_t scn_cic_push(void *, const uint8_t *, size_t, int32_t *);
"""


def render_taps() -> str:
    """Write ``scn_decimator_taps.h``: every filter, and which of them lead from one rate to another."""
    lines = [
        "/* Made by python/scenelet/frontend/decimator_c.py; not for editing. Included by scn_decimator.c only. */",
        "#ifndef SCN_DECIMATOR_TAPS_H",
        "#define SCN_DECIMATOR_TAPS_H",
        "",
        '#include "scn_decimator.h"',
        "",
        f"#define SCN_TAP_BITS {decimator.TAP_BITS}",
        "",
        "/* clang-format off */",
    ]
    for name, fir in decimator.FILTERS.items():
        lines.append(f"static const int32_t {name}_outer[{fir.outer.size}] = {{")
        values = [f"{value}," for value in fir.outer.tolist()]
        lines += ["    " + " ".join(values[start : start + 8]) for start in range(0, len(values), 8)]
        halfband = "true" if fir.halfband else "false"
        lines.append("};")
        lines.append(
            f"static const scn_fir_t {name}_fir = {{{name}_outer, {fir.centre}, {fir.outer.size}, {fir.factor}, "
            f"{halfband}}};"
        )
    lines.append("#define SCN_DECIMATOR_CHAINS \\")
    for (rate_in, rate_out), names in decimator.CHAINS.items():
        lines.append(f"    {{{rate_in}, {rate_out}, {{{', '.join(f'&{name}_fir' for name in names)}}}}}, \\")
    lines[-1] = lines[-1].removesuffix(" \\")
    return "\n".join([*lines, "/* clang-format on */", "", "#endif", ""])


@lru_cache
def _library(flags: tuple[str, ...]) -> tuple[FFI, Any]:
    ffi = FFI()
    ffi.cdef(_CDEF)
    path = toolchain.shared_library("decimator", [SOURCES / "scn_decimator.c"], [SOURCES], flags)
    return ffi, ffi.dlopen(str(path))


class Decimator:
    """The firmware's C at work on a stream; not for use from two threads at once.

    Parameters
    ----------
    rate_in, rate_out
        Hz; one of :data:`scenelet.frontend.decimator.CHAINS`.
    flags
        Further compiler flags, for tests.

    Raises
    ------
    InputError
        There is no such way.
    """

    def __init__(self, rate_in: int, rate_out: int, flags: tuple[str, ...] = ()) -> None:
        decimator.chain(rate_in, rate_out)
        self._ffi, self._lib = _library(flags)
        self._state = self._ffi.new("uint64_t[]", _STATE_BYTES // 8)
        if not self._lib.scn_decimator_begin(self._state, rate_in, rate_out):
            raise InputError(HEADER, "lacks this way", "write it anew: python tools/decimator_taps.py")

    def push(self, samples: NDArray[np.int32]) -> NDArray[np.int32]:
        """Take int32 samples of 24 bits, any number; give those that they complete."""
        samples = np.ascontiguousarray(samples, np.int32)
        out = np.empty(samples.size + 1, np.int32)
        made = self._lib.scn_decimator_push(
            self._state,
            self._ffi.from_buffer("int32_t[]", samples),
            samples.size,
            self._ffi.from_buffer("int32_t[]", out),
        )
        return out[:made].copy()


class Cic:
    """The firmware's C for PDM at work on a stream."""

    def __init__(self, flags: tuple[str, ...] = ()) -> None:
        self._ffi, self._lib = _library(flags)
        self._state = self._ffi.new("uint64_t[]", _STATE_BYTES // 8)
        self._lib.scn_cic_begin(self._state)

    def push(self, content: bytes) -> NDArray[np.int32]:
        """Take bytes of PDM, any number; give the samples at 64 kHz that they complete."""
        out = np.empty(len(content) // 2 + 1, np.int32)
        made = self._lib.scn_cic_push(
            self._state, self._ffi.from_buffer(content), len(content), self._ffi.from_buffer("int32_t[]", out)
        )
        return out[:made].copy()
