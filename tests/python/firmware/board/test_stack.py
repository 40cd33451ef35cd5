"""The worst-case stack that the builder proves: against the painted stack in QEMU, the compiler's own words, and C that
must be refused."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenelet.core import cortex_m4, toolchain
from scenelet.targets.qemu import boot
from scenelet.targets.serial.framing import Input

sys.path.insert(0, str(toolchain.FIRMWARE / "platform" / "builder"))
import stack

pytestmark = pytest.mark.qemu

FLAGS = cortex_m4.flags()
ARM = [*FLAGS["cortex-m4"], *FLAGS["c"]]
PROGRAM = """
#include <stdint.h>
volatile int number;
__attribute__((section(".stack"), used)) int reserved;
__attribute__((used, noinline)) void report(void) {{ number++; }}
__attribute__((naked)) void scn_fault_handler(void) {{ __asm volatile("b report"); }}
void scn_microphone_interrupt(void) {{ number++; }}
void scn_usart_interrupt(void) {{ number++; }}
void systick_handler(void) {{ number++; }}
{body}
void Reset_Handler(void) {{ begin(); }}
const void *const vectors[] __attribute__((used)) = {{
    (const void *)Reset_Handler, (const void *)scn_fault_handler, (const void *)scn_microphone_interrupt,
    (const void *)scn_usart_interrupt, (const void *)systick_handler}};
"""
LEAF = "__attribute__((noinline)) void leaf(volatile int *x) { volatile char own[200]; own[*x] = 1; }"


def built(body: str, folder: Path) -> Path:
    source, elf = folder / "program.c", folder / "program.elf"
    source.write_text(PROGRAM.format(body=body), "utf-8")
    toolchain.run(
        ["arm-none-eabi-gcc", *ARM, *FLAGS["link"], "-Wl,--defsym=scn_stack_bytes=1024", "-Wl,-eReset_Handler",
         "-Wl,--undefined=vectors", source, "-o", elf]
    )  # fmt: skip
    return elf


def test_a_path_is_the_sum_of_its_frames(tmp_path: Path) -> None:
    body = LEAF + "__attribute__((noinline)) void begin(void) { volatile int x = 3; leaf(&x); number = x; }"
    worst, (thread, *interrupts), reserved = stack.measure(built(body, tmp_path))
    assert reserved == 1024
    assert thread[1] == ("Reset_Handler", "begin", "leaf")
    assert 200 <= thread[0] <= 240
    assert worst == thread[0] + sum(size for size, _ in interrupts[:3])
    assert [size for size, _ in interrupts[:3]] == [36, 36, 36], "an exception's frame each, aligned"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "__attribute__((noinline)) int down(int n) { return n ? down(n - 1) * down(n / 2) : number; }"
            "__attribute__((noinline)) void begin(void) { number = down(number); }",
            "recursion: down -> down",
        ),
        (
            "__attribute__((noinline)) int even(int); __attribute__((noinline)) int odd(int n) { return n * even(n); }"
            "__attribute__((noinline)) int even(int n) { return n > 9 ? odd(n - 1) + 1 : 0; }"
            "__attribute__((noinline)) void begin(void) { number = odd(number); }",
            "recursion: (odd -> even -> odd|even -> odd -> even)",
        ),
        (
            "void (*volatile unknown)(int); __attribute__((noinline)) void begin(void) { unknown(3); number++; }",
            "begin calls through a pointer",
        ),
        (
            "__attribute__((noinline)) void stray(int n) { number = n; } void (*volatile unknown)(int) = stray;"
            "__attribute__((noinline)) void scn_port_wait(void) { unknown(3); number++; }"
            "__attribute__((noinline)) void begin(void) { scn_port_wait(); number++; }",
            "the addresses of stray are taken",
        ),
        (
            "void use(volatile char *); __attribute__((noinline)) void use(volatile char *x) { x[0] = 1; }"
            "__attribute__((noinline)) void begin(void) { volatile char own[number]; use(own); number++; }",
            "begin has a frame of variable size",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_proved_is_refused(body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(stack.StackError, match=message):
        stack.measure(built(body, tmp_path))


def test_too_deep_a_stack_fails_the_build(tmp_path: Path) -> None:
    body = (
        LEAF.replace("200", "1200")
        + "__attribute__((noinline)) void begin(void) { volatile int x = 3; leaf(&x); number = x; }"
    )
    with pytest.raises(SystemExit, match=r"may need 1[23]\d\d bytes of stack and has 1024; raise stack_bytes"):
        stack.check(built(body, tmp_path))


def test_the_compilers_own_figures_are_not_above(product_elf: Path, tmp_path: Path) -> None:
    """-fstack-usage, for the engine and the front end, which the product compiles with the same flags."""
    program = stack.Program(product_elf)
    folders = [*toolchain.engine_folders(), toolchain.FIRMWARE / "lib" / "frontend"]
    sources = [one for one in toolchain.engine_sources() if "winograd" in one.name or one.name == "scn_segment.c"]
    sources += (toolchain.FIRMWARE / "lib" / "frontend").glob("*.c")
    includes = [f"-I{folder}" for folder in folders]
    for source in sources:
        toolchain.run(
            ["arm-none-eabi-gcc", *ARM, *includes, "-fstack-usage", "-c", source, "-o", tmp_path / f"{source.stem}.o"]
        )
    said = {}
    for path in tmp_path.glob("*.su"):
        found = re.findall(r"^\S+?:\d+:\d+:(\S+)\t(\d+)\tstatic", path.read_text("utf-8"), re.MULTILINE)
        said |= {name: int(size) for name, size in found}
    shared = said.keys() & program.functions.keys()
    assert len(shared) >= 10
    assert {name for name in shared if program.functions[name].own < said[name]} == set()


def test_the_painted_stack_is_never_deeper(product_elf: Path, small: Any) -> None:
    worst, paths, reserved = stack.measure(product_elf)
    assert worst <= reserved
    assert [path[0] for _, path in paths] == [stack.THREAD, *stack.NESTED, stack.FAULT]
    with boot(product_elf) as device:
        device.bench()
        windows = [np.zeros(16 * 9, np.int8).tobytes()] * 2
        list(device.decide(windows, Input.TENSOR, small.compiled.identity.sha256, None))
        device.checksums()
        for command in ("help", "labels", "health", "decide 64 0 9", "infer 1"):
            device._stream.write(f"\0{command}\n".encode())
            device.wait_ready()
        peak = int(device.info()["stack_peak_bytes"])
    assert worst / 3 < peak <= worst, "a bound, and no wild one"
