"""GDB script: write an ELF to flash through a GDB server, compare it with what was written, start it.

SCENELET_PROTOCOL is gdb, blackmagic, qemu or qemu-gdb; SCENELET_PORT is the server's address. For qemu the script
starts an emulated board with blank flash itself (SCENELET_QEMU) and waits until the firmware reports that it is ready,
because the board vanishes when QEMU ends. A script, because `gdb -batch -ex` continues after an error.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gdb

SERVER_SECONDS, READY_SECONDS = 10, 120
START = {"blackmagic": "kill", "gdb": "monitor reset run", "qemu": "monitor system_reset"}


def wait(seconds, done):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def start_qemu(folder):
    """Start QEMU, halted; returns it with its GDB server's socket and its serial port's file in `folder`."""
    command = [part.replace("SERIAL", str(folder / "serial")) for part in shlex.split(os.environ["SCENELET_QEMU"])]
    socket = folder / "gdb"
    board = subprocess.Popen([*command, "-S", "-gdb", f"unix:{socket},server=on,wait=off"])
    if not wait(SERVER_SECONDS, lambda: socket.exists() or board.poll() is not None) or board.poll() is not None:
        board.kill()
        raise gdb.error("QEMU did not start")
    return board, str(socket)


def flash(kind, port):
    gdb.execute("set tcp connect-timeout 5")
    gdb.execute("target extended-remote " + port)
    if kind == "blackmagic":
        gdb.execute("monitor swdp_scan")
        gdb.execute("attach 1")
    elif kind == "gdb":
        gdb.execute("monitor reset halt")
    gdb.execute("load")
    report = gdb.execute("compare-sections", to_string=True)
    print(report, end="")
    if "MIS-MATCHED" in report:
        raise gdb.error("flash contents differ from the ELF")
    gdb.execute(START[kind])
    if kind == "qemu":
        with contextlib.suppress(gdb.error):  # a program that ends at once takes the connection with it
            gdb.execute("detach")
    elif kind != "blackmagic":
        gdb.execute("detach")


def boot(board, serial):
    """Wait for the firmware's `m-ready`, or for its end; print its output. Returns the exit status."""
    said = lambda: serial.read_text(errors="replace") if serial.exists() else ""  # noqa: E731
    wait(READY_SECONDS, lambda: "m-ready" in said() or board.poll() is not None)
    print(said(), end="")
    if board.poll() is not None:
        return board.returncode
    board.kill()
    return 0 if "m-ready" in said() else 1


def main(folder):
    kind = os.environ["SCENELET_PROTOCOL"].split("-")[0]
    port, board = os.environ["SCENELET_PORT"], None
    try:
        if kind == "qemu":
            board, port = start_qemu(folder)
        flash(kind, port)
    except gdb.error as error:
        print(f"Upload failed: {error}", file=sys.stderr)
        if board:
            board.kill()
        return 1
    return boot(board, folder / "serial") if board else 0


with tempfile.TemporaryDirectory() as name:
    status = main(Path(name))
gdb.execute(f"quit {status}")
