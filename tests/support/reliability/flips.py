"""Flips single bits in the memory of a running board, in QEMU, and says what became of each.

``flips.py flash --count 1000`` flips bits of the image: code, tables, weights, vectors, the seal. ``flips.py checkers``
flips bits of the functions that look for flipped bits. ``flips.py ram --count 1000`` flips bits of RAM while
windows are classified. The addresses depend on ``--seed`` only; in RAM the moments do not.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from elftools.elf.elffile import ELFFile
from gdb_remote import FLASH, FlashedBoard

from scenelet.core import toolchain
from scenelet.errors import ToolError
from scenelet.targets.build import platformio
from scenelet.targets.host import HostTarget
from scenelet.targets.serial.client import Device, fields
from scenelet.targets.serial.framing import Input, Line

CLOCK = ("-icount", "shift=6,sleep=off")
"""64 ns of emulated time per instruction, and none of the computer's while the processor sleeps."""

CHECKERS = (
    *(
        "scn_crc32_more",
        "scn_crc32",
        "scn_integrity_step",
        "scn_integrity_confirm",
        "scn_integrity_whole",
        "scn_classifier_selftest",
        "run_selftest",
    ),
    *("scn_port_image", "scn_port_fail", "scn_fault_end"),
)
"""What decides that an image is damaged, and what follows from that."""

_PATIENCE = 20.0
_WINDOWS = 3
MISSED, HANGS, WRONG_FOR_EVER = "MISSED", "HANGS", "WRONG UNTIL A RESET"
DEAF = "SysTick stopped: left to the independent watchdog, which QEMU lacks"
LOCKED = "faults in the fault handler: left to the independent watchdog"
ONLY_SELFTEST = "missed by the periodic check, found by the self-test"
ONLY_TOLD = "TOLD AT EVERY BOOT, NOT REFUSED"
BROKEN = (MISSED, HANGS, ONLY_TOLD)
"""Outcomes that no flip may have."""


class Image:
    """Symbols and sections of an ELF."""

    def __init__(self, elf: Path) -> None:
        with elf.open("rb") as file:
            parsed = ELFFile(file)
            table = parsed.get_section_by_name(".symtab")
            self.symbols = {
                one.name: (one["st_value"] & ~(one["st_info"]["type"] == "STT_FUNC"), one["st_size"])
                for one in table.iter_symbols()
                if one.name
            }
            self.sections = {
                one.name: (one["sh_addr"], one["sh_size"]) for one in parsed.iter_sections() if one["sh_addr"]
            }

    def section(self, address: int) -> str:
        """Name of the section that holds an address of the image."""
        return next((name for name, (start, size) in self.sections.items() if start <= address < start + size), "data")


class Patient:
    """A board whose bits are flipped, started again where it is beyond help."""

    def __init__(self, elf: Path) -> None:
        self.elf, self.image = elf, Image(elf)
        self._board: FlashedBoard | None = None

    def __enter__(self) -> Patient:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._board = FlashedBoard(self.elf, CLOCK).__enter__()
        self.device = Device(self._board, ask_seconds=0.5, give_up_seconds=_PATIENCE)
        self.device.wait_ready()

    def stop(self) -> None:
        if self._board:
            self._board.__exit__(None, None, None)
        self._board = None

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def board(self) -> FlashedBoard:
        assert self._board
        return self._board

    def flip(self, address: int, bit: int) -> None:
        with self.board.debugger.halted():
            self.board.debugger.flip(address, bit)

    def flip_if_alive(self, address: int, bit: int) -> None:
        """In a thread of its own: a board that has ended meanwhile is noticed by who waits for it."""
        with contextlib.suppress(OSError, ToolError):
            self.flip(address, bit)

    def flood(self, count: int, seed: int) -> None:
        """Send random bytes without a pause, and take in what is said to them."""
        chance = random.Random(seed)
        for _ in range(0, count, 4096):
            self.board.write(chance.randbytes(4096))
            while self.board.read(0.0):
                pass
        self.board.write(b"\0" * 4)
        while self.device.event(1.0):
            pass

    def variable(self, name: str, count: int = 4) -> int:
        """Value of a variable, in a program that runs."""
        with self.board.debugger.halted():
            return int.from_bytes(self.board.debugger.read(self.image.symbols[name][0], count), "little")

    def lines(self, seconds: float) -> list[str]:
        """What is said until ``m-ready``, or until nothing has come for so long."""
        said = []
        end = time.monotonic() + seconds
        while time.monotonic() < end and (event := self.device.event(seconds)):
            if isinstance(event, Line):
                if event.text == "m-ready":
                    return [*said, event.text]
                said.append(event.text)
                end = time.monotonic() + seconds
        return said


def flip_flash(patient: Patient, address: int, bit: int) -> str:
    """Flip a bit of the image while the board idles; returns how that was found."""
    patient.flip(address, bit)
    try:
        outcome = _watch(patient)
    except ToolError:  # QEMU has ended: the third crash in a row
        patient.restart()
        return "crashes at every boot"
    if outcome == "does not boot":
        patient.restart()
        return outcome
    patient.flip(address, bit)
    try:
        if patient.device.selftest() != "pass":
            patient.restart()
    except ToolError:
        patient.restart()
    return outcome


def _watch(patient: Patient) -> str:
    """What a flip comes to. A pass that had gone by the bit still ends well, so that only two more are a miss."""
    passes, quiet = patient.variable("passes"), 0
    while True:
        before = patient.variable("wraps")
        said = patient.lines(3.0)
        causes = [fields(line).get("cause") for line in said if line.startswith("e-fault ")]
        if "m-ready" in said and "selftest fail: flash" in said:
            if patient.variable("healthy", 1):
                return ONLY_TOLD
            found = {"flash": "periodic check", None: "reset without a word"}.get(
                causes[0] if causes else None, "crash"
            )
            return f"{found}, then refused at boot"
        if patient.variable("healthy", 1) == 0:
            return "refused, but its words are damaged"
        if patient.variable("passes") >= passes + 2 or "selftest pass" in said:
            return MISSED if patient.device.selftest() == "pass" else ONLY_SELFTEST
        quiet = quiet + 1 if patient.variable("wraps") == before else 0
        if quiet == 3:
            return "does not boot"


def flash_bits(image: bytes, count: int, chance: random.Random) -> Iterator[tuple[int, int]]:
    """Different bits of the whole image, its seal included."""
    for bit in chance.sample(range(8 * len(image)), count):
        yield FLASH + bit // 8, bit % 8


def checker_bits(image: Image) -> Iterator[tuple[int, int]]:
    """Every bit of the functions that check."""
    for name in CHECKERS:
        start, size = image.symbols[name]
        for address in range(start, start + size):
            yield from ((address, bit) for bit in range(8))


class Windows:
    """Windows of INT8 tensors, and the scores that the same C gives on this computer."""

    def __init__(self, model: bytes, seed: int) -> None:
        with HostTarget(model) as host:
            self.sha256 = host.compiled.identity.sha256
            shape = (_WINDOWS, *host.input.shape[1:])
            self.tensors = np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)
            self.scores = host.run(self.tensors).reshape(_WINDOWS, -1).tolist()

    def decided(self, device: Device, count: int = _WINDOWS) -> list[bool]:
        """Whether the board's scores are right, window by window."""
        contents = (window.tobytes() for window in self.tensors[:count])
        made = device.decide(contents, Input.TENSOR, self.sha256, None)
        return [list(one.scores) == wanted for one, wanted in zip(made, self.scores, strict=False)]


def flip_ram(patient: Patient, windows: Windows, address: int, bit: int, moment: float) -> str:
    """Flip a bit of RAM while windows are classified; returns what became of it."""
    timer = threading.Timer(moment, patient.flip_if_alive, (address, bit))
    timer.start()
    try:
        right = windows.decided(patient.device)
        timer.join()
        after = windows.decided(patient.device, 1)
    except ToolError:
        timer.join()
        return _after_an_end(patient, windows)
    if all(after):
        return "no effect" if all(right) else "wrong scores, right in the next session"
    verdict = patient.device.selftest()
    patient.restart()
    return f"wrong scores until the self-test: {verdict}" if verdict != "pass" else WRONG_FOR_EVER


def _after_an_end(patient: Patient, windows: Windows) -> str:
    """A session has failed: the board has reset itself with a record, or answers again, or is dead."""
    try:
        health = patient.device.health()
        crashed = health["crashes"] != "0"
        cause = health.get("cause", "?")
        right = all(windows.decided(patient.device, 1))
    except ToolError:
        outcome = _why_dead(patient)
        patient.restart()
        return outcome
    patient.restart()
    if not right:
        return WRONG_FOR_EVER
    return f"reset, cause={cause}" if crashed else "the session ended, the next one is right"


def _why_dead(patient: Patient) -> str:
    """What a board is in that no longer answers; on a chip the independent watchdog ends all but the last."""
    if patient.board.status() is not None:
        return LOCKED if "Lockup" in (patient.board.folder / "log").read_text("utf-8", "replace") else HANGS
    supervised = patient.variable("wraps") != patient.variable("wraps")
    return HANGS if supervised else DEAF


def ram_bits(image: Image, count: int, chance: random.Random) -> Iterator[tuple[str, int, int]]:
    """Bits of RAM by kind: a kind is drawn first, so that the arena does not take them all."""
    top = image.symbols["scn_stack_top"][0]
    buffers = [image.symbols[name] for name in ("ring_bytes", "receiver")]
    arena = [image.symbols[name] for name in ("pipeline",)]
    named = {start for start, _ in (*buffers, *arena)}
    state = [
        (start, size)
        for start, size in set(image.symbols.values())
        if size and start not in named and image.section(start) in (".bss", ".noinit", ".data")
    ]
    kinds = {"arena": arena, "stack": [(top - 1024, 1024)], "buffers": buffers, "state": sorted(state)}
    for _ in range(count):
        kind = chance.choice(sorted(kinds))
        places = kinds[kind]
        start, size = chance.choices(places, [size for _, size in places])[0]
        yield kind, start + chance.randrange(size), chance.randrange(8)


def table(counts: Counter[tuple[str, str]]) -> str:
    """Lines of counts: outcome, then the place's, and the sum."""
    places = sorted({place for place, _ in counts})
    rows = ["| outcome | " + " | ".join(places) + " | all |", "|---" * (len(places) + 2) + "|"]
    for outcome in sorted({outcome for _, outcome in counts}):
        numbers = [counts[place, outcome] for place in places]
        rows.append(f"| {outcome} | " + " | ".join(str(number) for number in (*numbers, sum(numbers))) + " |")
    return "\n".join(rows) + "\n"


def campaign(
    kind: str, elf: Path, model: bytes, count: int, seed: int, *, loud: bool = False
) -> Counter[tuple[str, str]]:
    """Flip so many bits of a kind of memory; the counts by place and outcome."""
    chance = random.Random(seed)
    counts: Counter[tuple[str, str]] = Counter()
    windows = Windows(model, seed) if kind == "ram" else None
    with Patient(elf) as patient:
        if windows:
            drawn = ram_bits(patient.image, count, chance)
        else:
            checkers = list(checker_bits(patient.image))
            some = chance.sample(checkers, min(count, len(checkers)))
            bits = some if kind == "checkers" else flash_bits(patient.board.image, count, chance)
            drawn = ((patient.image.section(address), address, bit) for address, bit in bits)
        for place, address, bit in drawn:
            if windows:
                outcome = flip_ram(patient, windows, address, bit, chance.random() * 0.05)
            else:
                outcome = flip_flash(patient, address, bit)
            counts[place, outcome] += 1
            if loud and (outcome in BROKEN or outcome == WRONG_FOR_EVER or sum(counts.values()) % 50 == 0):
                sys.stderr.write(f"{sum(counts.values())}: {address:#010x} bit {bit} ({place}): {outcome}\n")
    return counts


def main() -> int:
    """Run a campaign on the shipped product; status 1 where a flip was missed or left a hang."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("flash", "checkers", "ram"))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generated = toolchain.FIRMWARE / "generated"
    sources = {path.name: path.read_text("utf-8") for path in generated.iterdir() if path.suffix in (".c", ".h")}
    model = (toolchain.FIRMWARE / "models" / "default.tflite").read_bytes()
    elf = platformio.build(sources)
    counts = campaign(arguments.kind, elf, model, arguments.count, arguments.seed, loud=True)
    sys.stdout.write(table(counts))
    return 1 if any(outcome in BROKEN for _, outcome in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
