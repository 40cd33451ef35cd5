"""Builds the firmware for a board, or, where the environment has no board, for this computer."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

from SCons.Script import COMMAND_LINE_TARGETS, AlwaysBuild, Builder, Default, DefaultEnvironment
from SCons.Subst import Literal

env = DefaultEnvironment()
sys.path.insert(0, str(Path(env.PioPlatform().get_dir()) / "builder"))
import seal  # noqa: E402
import stack  # noqa: E402
import upload  # noqa: E402

FIRMWARE = Path(env.subst("$PROJECT_DIR")) / "firmware"
FLAGS = json.loads((FIRMWARE / "flags.json").read_text())
SMALL = ("src", "lib/classifier", "lib/link", "lib/port")
PROGRAM = "firmware"
LIBRARIES = ("lib/classifier", "lib/frontend", "lib/link", "lib/port")


def protect_paths():
    """Let the shell take every path as it is: SCons itself quotes spaces, and in names of files some characters more.

    Only `$`, which SCons and PlatformIO expand in every path, is beyond help; platform.py refuses it.
    """
    env.Replace(
        ESCAPE=shlex.quote,
        _CPPINCFLAGS="${INCLUDE_FLAGS(__env__)}",
        INCLUDE_FLAGS=include_flags,
        _LIBDIRFLAGS="",  # nothing is linked by a library's name
    )


def include_flags(environment):
    folders = (environment.subst(str(folder)) for folder in environment.get("CPPPATH", []))
    return [Literal(f"-I{environment.Dir(folder)}") for folder in dict.fromkeys(folders)]


def sources(port):
    """Add what PlatformIO does not find by itself: include folders, the port to this machine, the generated model."""
    env.Append(CPPPATH=[str(FIRMWARE / name) for name in (*FLAGS["engine"], *LIBRARIES)])
    env.BuildSources("$BUILD_DIR/port", str(FIRMWARE / "lib" / "port" / port))
    if "__test" in COMMAND_LINE_TARGETS and env.GetProjectOption("custom_model_in_tests", "no") != "yes":
        return
    env.Append(CPPDEFINES=[("SCN_VERSION", env.StringifyMacro(version()))])
    folder = Path(os.environ.get("SCENELET_GENERATED") or FIRMWARE / "generated")
    if not (folder / "scn_model.h").is_file():
        sys.exit(f"Error: {folder} contains no model; write one with: scenelet export MODEL --out {folder}")
    env.Append(CPPPATH=[str(folder)])
    env.BuildSources("$BUILD_DIR/generated", str(folder), "-<*> +<scn_*.c>")


def version():
    """Version of scenelet, as the command that builds gives it; by hand it is the clone's, or a project's own."""
    own, package = FIRMWARE / "VERSION", FIRMWARE.parent / "python" / "scenelet" / "__init__.py"
    if own.is_file():
        return own.read_text().strip()
    return os.environ.get("SCENELET_VERSION") or re.search(r'__version__ = "(.+)"', package.read_text())[1]


def compile_small(compiler, node):
    """Compile code that runs once, or per line of text: there bytes of flash matter, not instructions."""
    return compiler.Object(node, CCFLAGS=[*compiler["CCFLAGS"], *FLAGS["small"]])


def host_program():
    """A program for this computer, in place of the registry's `native` platform."""
    env.Tool("gcc")
    env.Append(CCFLAGS=FLAGS["c"][1:] + FLAGS["warnings"], CFLAGS=FLAGS["c"][:1])
    env.Append(LINKFLAGS=list(env.ParseFlags(env.get("BUILD_FLAGS", "")).get("CCFLAGS", [])))
    env.Append(CPPPATH=[str(FIRMWARE / "boards" / "host")])
    sources("host")
    program = env.BuildProgram()
    run = env.VerboseAction("$SOURCE $PROGRAM_ARGS", "Running $SOURCE")
    for name in ("exec", "upload"):
        env.AddPlatformTarget(name, program, run, name.capitalize())
    Default([program])


def linker_flags(board):
    """Make the linker enforce the board's flash and RAM; PlatformIO itself would only warn about RAM."""
    script = FIRMWARE / "lib" / "port" / board.get("build.port") / (board.get("build.port") + ".ld")
    symbols = {
        "SCN_FLASH_BYTES": board.get("upload.maximum_size"),
        "SCN_RAM_BYTES": board.get("upload.maximum_ram_size"),
        "SCN_STACK_BYTES": FLAGS["stack_bytes"],
    }
    flags = [f"-Wl,--defsym={name}={value}" for name, value in symbols.items()]
    # -Wl would divide a path at its commas; Literal, so that the shell gets the paths as they are.
    link_map = Literal(f"-Map={os.path.relpath(env.subst('$BUILD_DIR'))}/{PROGRAM}.map")
    return [*flags, "-T", Literal(str(script)), "-Xlinker", link_map]


def configure(board):
    cpu = FLAGS[board.get("build.cpu")]
    env.Replace(
        AR="arm-none-eabi-gcc-ar",
        AS="arm-none-eabi-gcc",
        CC="arm-none-eabi-gcc",
        CXX="arm-none-eabi-g++",
        RANLIB="arm-none-eabi-gcc-ranlib",
        OBJCOPY="arm-none-eabi-objcopy",
        SIZETOOL="arm-none-eabi-size",
        ARFLAGS=["rc"],
        PROGNAME=PROGRAM,
        PROGSUFFIX=".elf",
        SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
        SIZEPROGREGEXP=r"^(?:\.vectors|\.text|\.rodata|\.ARM\.exidx|\.data|\.seal)\s+(\d+)",
        SIZEDATAREGEXP=r"^(?:\.data|\.bss|\.noinit|\.stack)\s+(\d+)",
    )
    env.Append(
        ASPPFLAGS=["-x", "assembler-with-cpp"],
        ASFLAGS=cpu,
        CCFLAGS=cpu + FLAGS["c"][1:] + FLAGS["warnings"],
        CFLAGS=FLAGS["c"][:1],
        CPPDEFINES=[("SCN_BOARD_RAM_BYTES", board.get("upload.maximum_ram_size"))],
        CPPPATH=[str(FIRMWARE / "boards" / board.id)],
        LINKFLAGS=cpu + FLAGS["link"] + linker_flags(board),
        BUILDERS={
            "ElfToBin": Builder(
                suffix=".bin",
                action=env.VerboseAction("$OBJCOPY -O binary $SOURCES $TARGET", "Building $TARGET"),
            )
        },
    )


def seal_program(target, source, env):
    del source, env
    seal.seal(str(target[0]))


def check_stack(target, source, env):
    del source, env
    stack.check(str(target[0]))


def firmware():
    board = env.BoardConfig()
    configure(board)
    for folder in SMALL:
        env.AddBuildMiddleware(compile_small, f"*/firmware/{folder}/*")
    sources(board.get("build.port"))
    elf, image = "$BUILD_DIR/${PROGNAME}.elf", "$BUILD_DIR/${PROGNAME}.bin"
    if "nobuild" not in COMMAND_LINE_TARGETS:
        elf = env.BuildProgram()
        env.AddPostAction(elf, env.VerboseAction(seal_program, "Sealing $TARGET"))
        if "__test" not in COMMAND_LINE_TARGETS:
            env.AddPostAction(elf, env.VerboseAction(check_stack, "Measuring the stack of $TARGET"))
        image = env.ElfToBin("$BUILD_DIR/${PROGNAME}", elf)
        env.Depends(image, "checkprogsize")
    AlwaysBuild(env.Alias("nobuild", image))
    Default([env.Alias("buildprog", image, image)])
    action = env.VerboseAction(upload.upload, "Uploading $SOURCE")
    env.AddPlatformTarget("upload", [elf, image], action, "Upload")
    emulate = env.VerboseAction(upload.emulate, "Running $SOURCE; end with Ctrl-A X")
    env.AddPlatformTarget("emulate", elf, emulate, "Run in QEMU")


protect_paths()
if "BOARD" in env:
    firmware()
else:
    host_program()
