"""`pio run -t upload`: the program that flashes a board, and the remedy when it fails."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PROBES = ("stlink", "cmsis-dap", "jlink")
DFU = ("dfu-util", "-a", "0", "-s", "0x08000000:leave", "-D")
BLACK_MAGIC_PORT, GDB_SERVER = "/dev/ttyACM0", "localhost:3333"
REMEDY = {
    "openocd": "connect the board's debug probe and power, and let your user open it (OpenOCD's udev rules)",
    "st-flash": "connect the board's ST-LINK, and let your user open it",
    "dfu-util": "put the board into its boot loader: hold BOOT0 high while it resets, with USB connected",
    "gdb": "start the GDB server, or give its address with --upload-port",
    "qemu": "read what the firmware printed above",
}


def qemu(board, serial):
    """QEMU's command line without a program; `serial` is the destination of USART1."""
    options = ["-display", "none", "-semihosting-config", "enable=on,target=native"]
    if not serial.startswith("mon:"):
        options += ["-monitor", "none"]
    return ["qemu-system-arm", "-M", board.get("build.qemu_machine"), *options, "-serial", serial]


def gdb(env, elf):
    program = env.WhereIs("gdb-multiarch") or "arm-none-eabi-gdb"
    return [program, "-q", "-nx", "-batch", "-x", str(Path(env.PioPlatform().get_dir()) / "flash.py"), elf]


def tcl_word(path):
    """Write a path as one word of Tcl, the language of OpenOCD's commands."""
    return re.sub(r"([^\w./-])", r"\\\1", path)


def command(env, protocol, elf):
    """The command line of a protocol, and the key of its remedy."""
    board, image = env.BoardConfig(), env.subst("$BUILD_DIR/${PROGNAME}.bin")
    if protocol in PROBES:
        target = board.get("debug.openocd_target")
        program = ["-c", f"program {tcl_word(elf)} verify reset exit"]
        return ["openocd", "-f", f"interface/{protocol}.cfg", "-f", f"target/{target}.cfg", *program], "openocd"
    if protocol == "st-flash":
        return ["st-flash", "--reset", "write", image, "0x08000000"], "st-flash"
    if protocol == "dfu":
        return [*DFU, image], "dfu-util"
    if protocol in ("gdb", "blackmagic"):
        return gdb(env, elf), "gdb"
    if protocol in ("qemu", "qemu-gdb"):
        return gdb(env, elf), "qemu"
    known = ", ".join(sorted(board.get("upload.protocols")))
    sys.exit(f"Error: upload_protocol '{protocol}' is not one of: {known}")


def environment(env, protocol):
    """The variables of flash.py: how to reach the board, and QEMU's command line where it must start one."""
    port = env.subst("$UPLOAD_PORT") or (BLACK_MAGIC_PORT if protocol == "blackmagic" else GDB_SERVER)
    values = {"SCENELET_PROTOCOL": protocol, "SCENELET_PORT": port}
    if protocol.startswith("qemu"):
        values["SCENELET_QEMU"] = shlex.join(qemu(env.BoardConfig(), "file:SERIAL"))
    return {**os.environ, **env["ENV"], **values}


def emulate(target, source, env):
    """SCons action: run the ELF in QEMU on this terminal. Its result is the exit status."""
    del target
    program = [*qemu(env.BoardConfig(), "mon:stdio"), "-kernel", str(source[0])]
    return subprocess.run(program, check=False).returncode


def without_probe(env, protocol):
    """What to type where a probe is missing and the chip's own boot loader would do; "" where it would not."""
    if protocol not in (*PROBES, "st-flash") or "dfu" not in env.BoardConfig().get("upload.protocols"):
        return ""
    typed = shlex.join([*DFU, env.subst("$BUILD_DIR/${PROGNAME}.bin")])
    return f"Without a probe, {REMEDY['dfu-util']}; then type: {typed}\n"


def next_steps(env):
    """What to type to hear a board that was just flashed."""
    return (
        f"The board runs. Its console: pio device monitor -e {env.subst('$PIOENV')}\n"
        "  there, info says what it holds, and listen on classifies what its microphone hears\n"
        "From files: scenelet device stream CLIP.wav --port PORT; scenelet doctor lists the ports\n"
    )


def upload(target, source, env):
    """SCons action: flash the ELF. Its result is the exit status."""
    del target
    protocol = env.subst("$UPLOAD_PROTOCOL")
    arguments, remedy = command(env, protocol, str(source[0]))
    arguments += env.Split(env.subst("$UPLOADERFLAGS"))
    if not env.WhereIs(arguments[0]):
        sys.stderr.write(f"Error: {arguments[0]} is not installed, and upload_protocol = {protocol} needs it\n")
        sys.stderr.write(without_probe(env, protocol))
        return 1
    status = subprocess.run(arguments, env=environment(env, protocol), check=False).returncode
    if status:
        sys.stderr.write(
            f"Error: upload with {protocol} failed, {arguments[0]}'s own message is above; {REMEDY[remedy]}\n"
        )
        sys.stderr.write(without_probe(env, protocol))
    elif not protocol.startswith("qemu"):
        sys.stderr.write(next_steps(env))
    return status
