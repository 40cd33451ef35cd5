"""Seals a program: its last word in flash is the CRC-32 of everything before it, which the boot checks."""

import itertools
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

SECTION, SEAL_BYTES = ".seal", 4
LOADED = re.compile(r"^ *\d+ (\S+) +(\w+)  (\w+)  (\w+) .*\n *CONTENTS, ALLOC, LOAD", re.MULTILINE)


def loaded_sections(elf):
    """Load address, size and name of every section in flash, in order."""
    command = ["arm-none-eabi-objdump", "-h", elf]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = [(int(address, 16), int(size, 16), name) for name, size, _, address in LOADED.findall(listing)]
    return sorted(section for section in found if section[1])


def require_no_gaps(elf):
    """Refuse gaps: a chip keeps old bytes there and an emulator has zeros, so that no seal fits both."""
    sections = loaded_sections(elf)
    for (address, size, name), (next_address, _, following) in itertools.pairwise(sections):
        if address + size != next_address:
            sys.exit(f"Error: {elf} leaves a gap in flash between {name} and {following}; pad it in the linker script")
    if not sections or sections[-1][1:] != (SEAL_BYTES, SECTION):
        sys.exit(f"Error: {elf} does not end in its seal; the linker script must put {SECTION} last")


def seal(elf):
    """Write the seal into an ELF file."""
    require_no_gaps(elf)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, path], check=True)
        crc = zlib.crc32(path.read_bytes()[:-SEAL_BYTES])
        path.write_bytes(crc.to_bytes(SEAL_BYTES, "little"))
        subprocess.run(["arm-none-eabi-objcopy", f"--update-section={SECTION}={path}", elf], check=True)
