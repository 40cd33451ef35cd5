"""The decimator's C: its taps as a header, and the firmware's code compiled for the host."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from cffi import FFI
from numpy.typing import NDArray

from ..core import toolchain
from ..errors import InputError
from . import decimator

SOURCES = toolchain.FIRMWARE / "lib" / "frontend"
HEADER = SOURCES / "scn_decimator_taps.h"
CIC_HEADER = SOURCES / "scn_cic_table.h"

# Room for one scn_decimator_t or one scn_cic_t; Python does not access their fields.
_STATE_BYTES = 8192
_CDEF = """
void scn_decimator_begin(void *);
bool scn_decimator_extend(void *, uint32_t, uint32_t);
size_t scn_decimator_push(void *, const int32_t *, size_t, int32_t *);
void scn_cic_begin(void *);
void scn_cic_push(void *, const uint16_t *, size_t, int32_t *);
"""
_BANNER = (
    "/* SPDX-License-Identifier: MIT */\n"
    "/* Made by python/scenelet/frontend/decimator_native.py; not for editing. Private to {}.c. */"
)


def render_taps() -> str:
    """Render ``scn_decimator_taps.h``: all filters, and the chain of filters for every pair of rates."""
    lines = [
        _BANNER.format("scn_decimator"),
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


def render_cic_table() -> str:
    """Render ``scn_cic_table.h``: the contribution of every four bits of PDM to a sample."""
    rows = ["    {" + ", ".join(map(str, row)) + "}," for row in decimator.cic_table().tolist()]
    lines = [
        _BANNER.format("scn_cic"),
        "#ifndef SCN_CIC_TABLE_H",
        "#define SCN_CIC_TABLE_H",
        "",
        "#include <stdint.h>",
        "",
        "/* clang-format off */",
        f"static const int32_t scn_cic_table[{len(rows)}][16] = {{",
        *rows,
        "};",
        "/* clang-format on */",
        "",
        "#endif",
        "",
    ]
    return "\n".join(lines)


@lru_cache
def _library(flags: tuple[str, ...]) -> tuple[FFI, Any]:
    ffi = FFI()
    ffi.cdef(_CDEF)
    path = toolchain.shared_library("decimator", [SOURCES / "scn_decimator.c", SOURCES / "scn_cic.c"], [SOURCES], flags)
    return ffi, ffi.dlopen(str(path))


class Decimator:
    """The firmware's decimator for a stream of samples; not thread-safe.

    Parameters
    ----------
    *rates
        Hz, two or more: each pair of neighbours one of :data:`scenelet.frontend.decimator.CHAINS`.
    flags
        Further compiler flags, for tests.

    Raises
    ------
    InputError
        Where there is no chain of filters for a pair of rates.
    """

    def __init__(self, *rates: int, flags: tuple[str, ...] = ()) -> None:
        self._ffi, self._lib = _library(flags)
        self._state = self._ffi.new("uint64_t[]", _STATE_BYTES // 8)
        self._lib.scn_decimator_begin(self._state)
        for rate_in, rate_out in pairwise(rates):
            decimator.chain(rate_in, rate_out)
            if not self._lib.scn_decimator_extend(self._state, rate_in, rate_out):
                raise InputError(HEADER, "lacks these rates", "generate it again: python tools/decimator_taps.py")

    def push(self, samples: NDArray[np.int32]) -> NDArray[np.int32]:
        """Push int32 samples of 24 bits, any number; returns the output samples that they complete."""
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
    """The firmware's CIC filter for a stream of PDM; not thread-safe."""

    def __init__(self, flags: tuple[str, ...] = ()) -> None:
        self._ffi, self._lib = _library(flags)
        self._state = self._ffi.new("uint64_t[]", _STATE_BYTES // 8)
        self._lib.scn_cic_begin(self._state)

    def push(self, words: NDArray[np.uint16]) -> NDArray[np.int32]:
        """Push uint16 words of PDM, first bit highest, any number; returns one sample at 64 kHz per word."""
        words = np.ascontiguousarray(words, np.uint16)
        out = np.empty(words.size, np.int32)
        if words.size:
            read, write = self._ffi.from_buffer("uint16_t[]", words), self._ffi.from_buffer("int32_t[]", out)
            self._lib.scn_cic_push(self._state, read, words.size, write)
        return out
