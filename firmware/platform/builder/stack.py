"""Worst-case stack of a program: the deepest path of its call graph, read from the linked ELF.

A function's own bytes come from the compiler's call frame information, those of hand-written assembly from its
instructions. Calls come from the disassembly, so that what was inlined or left out by the linker does not count. A call
through a pointer may reach what POINTERS says. Recursion, a frame of variable size, and a pointer that is not listed
are errors.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field

from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

# What a function that calls through a pointer may reach, as regular expressions; names without the compiler's suffixes.
# The compiler may inline a function into another one of its file: then that one is listed too.
WRITERS = ("scn_port_write",)
OBSERVERS = ("checksum_views", "report_step")
ROW_KERNELS = (r"scn_\w+_rows",)
BROADCAST_ROWS = (r"(add|sub|mul|mul_up|prelu|extremum)_row(_up)?",)
POINTERS = {
    r"scn_port_wait|scn_idle_wait": ("nothing_to_do",),
    r"scn_usart_interrupt": ("receive", "ignore"),
    r"scn_microphone_interrupt|lose": ("take_block",),
    r"put|scn_text_\w+": WRITERS,
    r"scn_model_run": (r"step\d+_run", *OBSERVERS),
    r"scn_segment_\w+|run_\w+|segment_\w+": ROW_KERNELS,
    r"winograd_\w+|scn_winograd_\w+": (r"(scn_)?tile_(input|weights|store)\w*", r"scn_winograd_dot\w*"),
    r"scn_winograd_2d_(\w+_)?rows|run|run_blocks|store_part|store_channel|multiply_block|weights_of": (
        r"scn_winograd_2d_(store|dot|weights)\w*",
    ),
    r"scn_winograd_2d_store_\w+": (r"store_(exact|quick|pooled)_\dx\d",),
    r"scn_broadcast_\w+|broadcast_\w+": BROADCAST_ROWS,
    r"scn_(add|sub|mul|prelu|extremum)_s8": BROADCAST_ROWS,
    r"scn_classifier_known_\w+|scn_selftest_\w+": ("end_lap", "ignore_hop"),
    r"scn_results_take": ("acknowledge_decision",),
    r"scn_fft_power|frame|scn_frontend_\w+": (r"scn_(window|transform)_\w+",),
    r"scn_fft_stage_m4": (r"scn_fft_loop_\w+",),
    r"scn_inject_fault": ("fault", "stack", "hang", "deaf", "stop_clock"),
}
# What the processor calls: the vector table's entries, by how they may interrupt one another (scn_stm32f4.h).
THREAD = "Reset_Handler"
NESTED = ("scn_microphone_interrupt", "scn_usart_interrupt", "systick_handler")
FAULT = "scn_fault_handler"
# A fault whose stack pointer is higher than this above the bottom keeps it (fault.c); its own code must fit below.
FAULT_RESERVE = 1024
FRAME, FRAME_WITH_FPU, ALIGNMENT = 32, 104, 4

_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t[0-9a-f ]+\t(\S+)(?:\t(.*))?$")
_TARGET = re.compile(r"^[0-9a-f]+ <([^+>]+)(\+0x[0-9a-f]+)?>")
_CALL = re.compile(r"blx?(\.[nw])?")
_BRANCH = re.compile(r"(b(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|hs|lo)?)(\.[nw])?|cbn?z")
_INDIRECT = re.compile(r"b(l?x)(\.[nw])?")


class StackError(Exception):
    """The stack's depth cannot be proved."""


@dataclass
class Function:
    name: str
    own: int = 0
    calls: set = field(default_factory=set)
    through_pointer: bool = False


def plain(name):
    """A function's name as in the source: the compiler appends .isra.0, .constprop.0, .part.0."""
    return name.partition(".")[0]


def _registers(operands):
    """How many registers a list holds."""
    count = 0
    for part in re.search(r"\{(.*)\}", operands)[1].split(","):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        count += ends[1] - ends[0] + 1 if "-" in part else 1
    return count


def _pushed(operation, operands):
    """Bytes by which an instruction moves the stack pointer down; negative: up. None: down by a register."""
    kind = operation.partition(".")[0]
    if kind in ("push", "vpush") or (kind in ("stmdb", "vstmdb") and operands.startswith("sp!")):
        return _registers(operands) * (8 if re.search(r"\{d\d", operands) else 4)
    if kind in ("pop", "vpop") or (kind in ("ldmia", "vldmia") and operands.startswith("sp!")):
        return -_registers(operands) * (8 if re.search(r"\{d\d", operands) else 4)
    moved = re.match(r"sp, (?:sp, )?#(\d+)", operands)
    if kind in ("sub", "subs", "subw", "add", "adds", "addw") and moved:
        return int(moved[1]) if kind.startswith("sub") else -int(moved[1])
    if kind.startswith("sub") and operands.startswith("sp,"):
        return None
    written = re.search(r"\[sp, #-(\d+)\]!", operands)
    read = re.search(r"\[sp\], #(\d+)", operands)
    return int(written[1]) if written else -int(read[1]) if read else 0


def _frames(elf):
    """The deepest frame of each function by its address, from .debug_frame."""
    found = {}
    for entry in elf.get_dwarf_info().CFI_entries():
        if isinstance(entry, FDE):
            rows = entry.get_decoded().table
            found[entry["initial_location"]] = max((row["cfa"].offset for row in rows), default=0)
    return found


def _disassembly(path):
    command = ["arm-none-eabi-objdump", "-d", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def _addresses_taken(elf, functions):
    """Functions whose address lies in the program's constants: callbacks, tables, vectors."""
    taken = set()
    for section in elf.iter_sections():
        if section["sh_addr"] and section["sh_type"] == "SHT_PROGBITS":
            data = section.data()
            words = {int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) - 3, 4)}
            taken |= {name for address, name in functions.items() if address | 1 in words}
    return taken


class Program:
    """The call graph of an ELF."""

    def __init__(self, path):
        with open(path, "rb") as file:
            elf = ELFFile(file)
            symbols = list(elf.get_section_by_name(".symtab").iter_symbols())
            code = {one["st_value"] & ~1: one.name for one in symbols if one["st_info"]["type"] == "STT_FUNC"}
            frames = _frames(elf)
            self.taken = _addresses_taken(elf, code)
            self.reserved = next(one["st_value"] for one in symbols if one.name == "scn_stack_bytes")
        self.functions, self.uses_fpu = {}, False
        self._read(_disassembly(path), {name: frames.get(address) for address, name in code.items()})

    def _read(self, lines, frames):
        current, depth, deepest = None, 0, 0
        for line in [*lines, "0 <>:"]:
            started = _FUNCTION.match(line)
            if started:
                if current and not current.own:
                    current.own = deepest
                current, depth, deepest = self._function(started[1], frames), 0, 0
                continue
            found = _INSTRUCTION.match(line)
            if not (found and current):
                continue
            operation, operands = found[2], found[3] or ""
            self.uses_fpu |= operation.startswith("v")
            moved = _pushed(operation, operands)
            if moved is None:
                raise StackError(f"{current.name} has a frame of variable size")
            depth = max(depth + moved, 0)
            deepest = max(deepest, depth)
            self._call(current, operation, operands)

    def _function(self, name, frames):
        function = self.functions.setdefault(name, Function(name))
        function.own = frames.get(name) or 0
        return function

    @staticmethod
    def _call(function, operation, operands):
        target = _TARGET.search(operands.rpartition(", ")[2])
        own = target and plain(target[1]) == plain(function.name)
        if target and (_CALL.fullmatch(operation) or (_BRANCH.fullmatch(operation) and not own)):
            function.calls.add(target[1])
        elif _INDIRECT.fullmatch(operation) and not target and operands != "lr":
            function.through_pointer = True

    def resolve(self):
        """Replace calls through pointers by calls of what they may reach."""
        for function in self.functions.values():
            if not function.through_pointer:
                continue
            hosts = [reached for host, reached in POINTERS.items() if re.fullmatch(host, plain(function.name))]
            if not hosts:
                raise StackError(f"{function.name} calls through a pointer; list what that may reach in POINTERS")
            for reached in hosts:
                function.calls |= {
                    name for name in self.functions if any(re.fullmatch(one, plain(name)) for one in reached)
                }

    def unlisted(self):
        """Functions whose address is taken, but which no entry of POINTERS reaches."""
        listed = "|".join(one for reached in POINTERS.values() for one in reached)
        handlers = (THREAD, *NESTED, FAULT)
        return sorted(name for name in self.taken if not re.fullmatch(listed, plain(name)) and name not in handlers)

    def deepest(self, name, above=()):
        """Bytes and functions of the deepest path from a function on."""
        if name in above:
            raise StackError("recursion: " + " -> ".join((*above[above.index(name) :], name)))
        known = self.__dict__.setdefault("_known", {})
        if name not in known:
            function = self.functions.get(name) or Function(name)
            below = [self.deepest(called, (*above, name)) for called in sorted(function.calls)]
            size, path = max(below, default=(0, ()))
            known[name] = (function.own + size, (name, *path))
        return known[name]


def measure(path):
    """Worst-case bytes of a program's stack, the deepest paths in order, and what is reserved.

    A path is of the thread, of each interrupt that can be on top of it, or of the fault handler, which is not added: it
    has a stack of its own where less than FAULT_RESERVE is left.
    """
    program = Program(path)
    program.resolve()
    unlisted = program.unlisted()
    if unlisted:
        raise StackError(f"the addresses of {', '.join(unlisted)} are taken; list their callers in POINTERS")
    frame = (FRAME_WITH_FPU if program.uses_fpu else FRAME) + ALIGNMENT
    paths = [program.deepest(THREAD)]
    for handler in NESTED:
        size, path_of = program.deepest(handler)
        paths.append((size + frame, path_of))
    fault, _ = program.deepest(FAULT)
    if fault > FAULT_RESERVE:
        raise StackError(
            f"the fault handler takes {fault} bytes, more than the {FAULT_RESERVE} that fault.c keeps for it"
        )
    return sum(size for size, _ in paths), [*paths, program.deepest(FAULT)], program.reserved


def check(path):
    """Refuse a program whose stack might overflow.

    Another compiler may inline otherwise than POINTERS expects: then the depth is unknown, which is a warning, or an
    error where the environment has SCENELET_STACK=proved.
    """
    try:
        worst, _, reserved = measure(path)
    except StackError as error:
        if os.environ.get("SCENELET_STACK") == "proved":
            sys.exit(f"Error: {path}: the depth of the stack is not proved: {error}")
        print(f"Warning: the depth of the stack is not proved: {error}")
        return
    if worst > reserved:
        remedy = "raise stack_bytes in firmware/flags.json"
        sys.exit(f"Error: {path} may need {worst} bytes of stack and has {reserved}; {remedy}")
    print(f"Stack: {worst} of {reserved} bytes at most")


if __name__ == "__main__":
    worst, paths, reserved = measure(sys.argv[1])
    for size, functions in paths:
        print(f"{size:5} {' -> '.join(functions)}")
    print(f"{worst:5} of {reserved} bytes at most")
