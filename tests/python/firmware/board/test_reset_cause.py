"""Flags of RCC_CSR (RM0090, 7.3.21) to the reset's cause. QEMU has none of them, so the C is asked here."""

from __future__ import annotations

import pytest
from cffi import FFI

from scenelet.core import toolchain

PORT = toolchain.FIRMWARE / "lib" / "port"
UNKNOWN, POWER, PIN, SOFTWARE, WATCHDOG, LOW_POWER = range(6)
PINRSTF, PORRSTF, SFTRSTF, IWDGRSTF, WWDGRSTF, LPWRRSTF = (1 << bit for bit in range(26, 32))


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        (0, UNKNOWN),
        (1 << 24 | 3, UNKNOWN),
        (PINRSTF, PIN),
        (PINRSTF | PORRSTF | 1 << 25, POWER),
        (PINRSTF | SFTRSTF, SOFTWARE),
        (PINRSTF | IWDGRSTF, WATCHDOG),
        (PINRSTF | WWDGRSTF, WATCHDOG),
        (PINRSTF | LPWRRSTF, LOW_POWER),
    ],
)
def test_flags_tell_the_cause(flags: int, cause: int) -> None:
    ffi = FFI()
    ffi.cdef("int scn_crash_reset_cause(uint32_t csr);")
    library = toolchain.shared_library("crash", [PORT / "stm32f4" / "crash.c"], [PORT / "stm32f4", PORT])
    assert ffi.dlopen(str(library)).scn_crash_reset_cause(flags) == cause
