"""Help of the commands: in groups, with whole summaries, and with examples at the end."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

EXAMPLES = {
    "train": ("scenelet train sm1 --data recordings/ --out runs/mine",),
    "quantize": ("scenelet quantize runs/mine",),
    "crossval": ("scenelet crossval sm1 --data ESC-50/ --subset esc10 --out runs/folds",),
    "tune": ("scenelet tune sm1 --data recordings/ --out runs/search",),
    "distill": ("scenelet distill sm1 --data recordings/ --teacher runs/teacher --out runs/taught",),
    "prune": ("scenelet prune runs/mine --data recordings/ --out runs/pruned --budget 20000000",),
    "sqnr": ("scenelet sqnr runs/mine",),
    "budget": ("scenelet budget sm1", "scenelet budget model.tflite --board feather_f405"),
    "explain": ("scenelet explain model.tflite",),
    "tradeoff": ("scenelet tradeoff model.tflite --out curve.svg",),
    "export": (
        "scenelet export model.tflite --out generated/",
        "scenelet export model.tflite --bundle arduino --out my_library/",
    ),
    "new": ("scenelet new doorbell --board feather_f405 --from model.tflite",),
    "run": ("scenelet run model.tflite street.wav park.flac",),
    "listen": (
        "scenelet listen street.wav",
        "scenelet listen --port /dev/ttyACM0",
        "scenelet listen model.tflite street.wav park.flac --qemu --web",
    ),
    "evaluate": ("scenelet evaluate model.tflite --data recordings/ --split test --target host",),
    "parity": ("scenelet parity model.tflite --target qemu -n 20",),
    "bench": ("scenelet bench model.tflite", "scenelet bench model.tflite --weights expanded --flash"),
    "load": ("scenelet load model.tflite",),
    "profile": ("scenelet profile model.tflite --lines 5",),
    "report": (
        "scenelet report model.tflite --out report.html",
        "scenelet report runs/mine --data recordings/ --target host --measure --out report.html",
    ),
    "compare": (
        "scenelet compare old.tflite new.tflite --data recordings/ --out compare.html",
        "scenelet compare model.tflite model.tflite,weights=expanded model.tflite,ram=16384",
        "scenelet compare main:model.tflite model.tflite",
    ),
    "card": ("scenelet card model.tflite --data recordings/ --out model.md",),
    "submission": (
        "scenelet submission dcase2023 runs/mine --data TAU/ --audio clips/ --label Doe_INST_task1_1 --out entry/",
        "scenelet submission biodcase2026 runs/birds --data birds/ --label Doe_task3_1 --out entry/",
    ),
    "recipes": ("scenelet recipes",),
    "boards": ("scenelet boards --json",),
    "doctor": ("scenelet doctor",),
    "data synth": ("scenelet data synth --out city/",),
    "data info": ("scenelet data info --data recordings/",),
    "frontend export": ("scenelet frontend export sm1 --out mel/",),
    "frontend compare": ("scenelet frontend compare sm1",),
    "device info": ("scenelet device info --port /dev/ttyACM0",),
    "device selftest": ("scenelet device selftest --port /dev/ttyACM0",),
    "device bench": ("scenelet device bench --port /dev/ttyACM0",),
    "device checksums": ("scenelet device checksums model.tflite --port /dev/ttyACM0",),
    "device soak": ("scenelet device soak model.tflite --data recordings/ --port /dev/ttyACM0 --seconds 600",),
    "device stream": ("scenelet device stream street.wav --port /dev/ttyACM0",),
    "device calibrate": ("scenelet device calibrate model.tflite --data recordings/ --accuracy 0.9",),
    "device evaluate": ("scenelet device evaluate model.tflite --data recordings/ --port /dev/ttyACM0",),
}
"""Commands as a newcomer would type them, by the command's name; a test parses each."""


class Group(TyperGroup):
    """Commands in sections (``rich_help_panel``), each with its whole first paragraph."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections in the order in which their first commands were added."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                section = getattr(command, "rich_help_panel", None) or "Commands"
                sections.setdefault(section, []).append((name, command.get_short_help_str(limit=1000)))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)


def add_examples(command: Any, name: str = "") -> None:
    """Give every command below one its examples, as the end of its help."""
    for part, inner in getattr(command, "commands", {}).items():
        add_examples(inner, f"{name} {part}".strip())
    if name in EXAMPLES:
        command.epilog = "\n\n".join(("Example:", *(f"  {line}" for line in EXAMPLES[name])))
