"""Write docs/results/stream.md: an hour of audio through the emulated board's serial port, with injected bit errors."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from scenelet.core.files import write_text
from scenelet.data.datasets.registry import Dataset, open_dataset
from scenelet.deploy.soak import Soak, soak
from scenelet.targets.emulator.process import Emulator
from scenelet.targets.emulator.serial_port import SerialBoard
from scenelet.targets.qemu import QemuTarget
from scenelet.targets.serial.client import Device
from scenelet.targets.serial.streams import ByteStream, SocketStream

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "firmware" / "models" / "default.tflite"
PAGE = REPOSITORY / "docs" / "results" / "stream.md"
SOCKET = ("-serial", "unix:serial,server=on,wait=on")
MULTIPLEXED = (
    "-echr", "256", "-chardev", "socket,id=line,path=serial,server=on,wait=on,mux=on", "-serial", "chardev:line",
)  # fmt: skip


def qemu_seconds(board: Emulator) -> float:
    """CPU time of QEMU so far, in seconds."""
    assert board.pid is not None
    fields = Path(f"/proc/{board.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def through(
    board: Emulator, line: ByteStream, dataset: Dataset, seconds: float, one_in: int, seed: int
) -> tuple[Soak, float]:
    """Stream to a board that has just been started; return the result and QEMU's CPU time for it."""
    Device(line).wait_ready()
    before, shown = qemu_seconds(board), -1

    def show(done: int, of: int) -> None:
        nonlocal shown
        if done * 100 // of != shown:
            shown = done * 100 // of
            print(f"{done:,} of {of:,} windows", flush=True)

    result = soak(MODEL, dataset, "all", line, audio_seconds=seconds, one_in=one_in, seed=seed, progress=show)
    return result, qemu_seconds(board) - before


def ways(elf: Path, dataset: Dataset, seconds: float) -> list[str]:
    """Compare QEMU's character devices for the serial port."""
    rows = []
    for name, options in (("a stream socket", SOCKET), ("a stream socket through the multiplexer", MULTIPLEXED)):
        with Emulator(elf, options) as board:
            line = SocketStream(board.folder / "serial", 60.0)
            rows.append((name, *through(board, line, dataset, seconds, 0, 0)))
            line.close()
    with SerialBoard(elf) as fast:
        rows.append(
            ("datagrams through the multiplexer (`scenelet`'s own)", *through(fast, fast, dataset, seconds, 0, 0))
        )
    return [f"| {name} | {cpu / result.windows:.3f} s | {result.mismatches} |" for name, result, cpu in rows]


def page(result: Soak, cpu: float, rows: list[str], arguments: argparse.Namespace) -> str:
    """Text of the page."""
    there, back = result.to_device, result.from_device
    given = f"--seconds {arguments.seconds:g} --spoil {arguments.spoil} --seed {arguments.seed}"
    command = f"python tools/experiments/stream.py --data ESC10 {given}"
    rate, speed = result.audio_bytes / result.seconds / 1000, result.audio_seconds / result.seconds
    return f"""# Audio through the emulated board's serial port: measured

Written by `{command}`; do not edit.

ESC-10's clips, one after the other and repeated, go as DATA frames through QEMU's USART into the product firmware
(`netduinoplus2`, no `-icount`), in one session. One of {result.one_in:,} frames and lines gets a flipped bit, in both
directions, chosen by the seed; every window's scores are compared with those of the same C on this computer.

| | |
|---|---|
| audio | {result.audio_seconds:,.0f} s, {result.windows:,} windows, {result.audio_bytes:,} bytes |
| windows with the host's scores | {result.windows - result.mismatches:,} of {result.windows:,} |
| bytes that found the receive ring full | {result.dropped_bytes:,} |
| frames to the device | {there.chunks:,}, {there.corrupted:,} of them corrupted; {there.bytes:,} bytes |
| frames and lines from the device | {back.chunks:,}, {back.corrupted:,} of them corrupted; {back.bytes:,} bytes |
| damage that was reported | {result.complaints:,} times by the device, {result.garbled:,} times found by the host |
| frames sent again | {result.resent:,} |
| time | {result.seconds:,.0f} s on a busy machine, {speed:.1f} times as fast as the audio |
| throughput | {rate:,.1f} kB of audio per second |
| QEMU's CPU time | {cpu:,.0f} s, {cpu / result.windows:.3f} s per window |

A corrupted frame is reported once, and everything after it is sent again. Damage to frames that were on their way after
such a frame is not reported.

## Ways into QEMU's USART

QEMU's USART takes one byte at a time. CPU time for a window of 1 s, {arguments.compare:g} windows each, none corrupted:

| QEMU's serial port is | CPU time per window | windows that differ |
|---|---|---|
{chr(10).join(rows)}

[Decision 0019](../decisions/0019-qemu-serial-port-by-datagrams.md) says why.
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="folder of ESC-10")
    parser.add_argument("--seconds", type=float, default=3600.0, help="of audio")
    parser.add_argument("--spoil", type=int, default=1000, help="frames per injected bit error, on average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compare", type=float, default=40.0, help="seconds of audio per character device")
    parser.add_argument("--out", type=Path, default=PAGE)
    arguments = parser.parse_args()
    dataset = open_dataset(arguments.data)
    with QemuTarget(MODEL) as target:
        elf = target.product_elf
    rows = ways(elf, dataset, arguments.compare)
    with SerialBoard(elf) as board:
        result, cpu = through(board, board, dataset, arguments.seconds, arguments.spoil, arguments.seed)
    write_text(arguments.out, page(result, cpu, rows, arguments))
    result.require(MODEL)


if __name__ == "__main__":
    main()
