"""A model's cost against the limits, for a recipe, a Keras model or a .tflite file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..compiler.pipeline import compile_model
from ..config import recipe
from ..errors import InputError
from ..graph import limits
from ..graph.cost import Cost, count
from ..graph.limits import Board, Limits, Violation
from ..models.architecture import cost_of_recipe
from ..models.keras_archive import require_countable
from ..targets import boards
from ..tflite.metadata import limits_of


@dataclass(frozen=True)
class Budget:
    """A model's cost and the limits that it exceeds.

    Attributes
    ----------
    planned_ram_bytes
        Size of the engine's planned arena, and the clip head's memory; None for a recipe or a Keras model, which are
        not compiled.
    board
        Board whose memory was also checked, if any.
    held
        The limits that hold, and what set them.
    """

    subject: str
    cost: Cost
    planned_ram_bytes: int | None
    board: Board | None
    violations: tuple[Violation, ...]
    held: Limits

    @property
    def ok(self) -> bool:
        """Whether the model is within every limit."""
        return not self.violations

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        allowed = {"params_bytes": self.held.params_bytes, "macs": self.held.macs}
        if self.board and self.held.of_board:
            allowed |= {"flash_bytes": self.board.flash_bytes, "ram_bytes": self.board.ram_bytes}
        return {
            "subject": self.subject,
            "params_bytes": self.cost.params_bytes,
            "macs": self.cost.macs,
            "macs_nessi": self.cost.macs_nessi,
            "peak_activation_bytes": self.cost.peak_activation_bytes,
            "planned_ram_bytes": self.planned_ram_bytes,
            "board": self.board.name if self.board else None,
            "limits": allowed,
            "limits_rule": self.held.rule,
            "limits_set": self.held.set_by,
            "ok": self.ok,
            "violations": [asdict(violation) | {"message": str(violation)} for violation in self.violations],
            "layers": [asdict(layer) for layer in self.cost.layers],
        }

    def summary(self) -> Iterator[str]:
        """Lines of text: each quantity with its limit, and the verdict."""
        yield _line("parameters", self.cost.params_bytes, self.held.params_bytes, "B")
        yield _line("MACs", self.cost.macs, self.held.macs, "")
        if self.cost.macs_nessi != self.cost.macs:
            yield f"{'MACs by NeSsi':18}{self.cost.macs_nessi:>12,}"
        yield f"{'peak activations':18}{self.cost.peak_activation_bytes:>12,} B"
        if self.planned_ram_bytes is not None:
            yield f"{'planned RAM':18}{self.planned_ram_bytes:>12,} B"
        if self.board:
            ram = self.cost.peak_activation_bytes if self.planned_ram_bytes is None else self.planned_ram_bytes
            yield _line(f"RAM of {self.board.name}", ram, self.board.ram_bytes, "B")
        yield f"{'within' if self.ok else 'OVER'} the {self.held}"


def _line(name: str, value: int, allowed: int | None, unit: str) -> str:
    line = f"{name:18}{value:>12,} {unit:1}"
    return line.rstrip() if allowed is None else f"{line} of {allowed:>12,} ({value / allowed:.1%})"


def cost_from(subject: str) -> tuple[Cost, int | None, Limits]:
    """Cost of a recipe, a .keras model or a .tflite file; the RAM planned for the last, bytes; the limits."""
    if recipe.is_recipe(subject):
        loaded = recipe.load(subject)
        return cost_of_recipe(loaded), None, limits.of_recipe(loaded)
    if subject.endswith(".keras"):
        require_countable(subject)  # before the seconds that TensorFlow takes
        from ..models.from_keras import graph_of_model, load_model

        return count(graph_of_model(load_model(subject))), None, Limits()
    if not subject.endswith(".tflite") and not Path(subject).exists():
        known = ", ".join(recipe.shipped())
        raise InputError(subject, "no such recipe or file", f"give a .tflite, a .keras, a .toml or one of: {known}")
    compiled = compile_model(subject)
    return compiled.cost, compiled.ram_bytes, limits_of(compiled.info)


def budget_of(subject: str, board: str | None = None, rule: str | None = None) -> Budget:
    """Count and check one model.

    Parameters
    ----------
    subject
        Name or path of a recipe, path of a .keras or .tflite file.
    board
        Also check the flash and RAM of this board.
    rule
        The limits that hold: one of :data:`scenelet.graph.limits.RULES`; by default the model's own.

    Raises
    ------
    InputError
        The model, the board or the rule does not exist.
    ModelError, UnsupportedError
        The .tflite file cannot be read or compiled.
    """
    asked = Limits(rule, "by --limits") if rule is not None else None
    if board:
        boards.find(board)  # before the seconds that a plan takes
    cost, planned, own = cost_from(subject)
    held = asked or own
    place = boards.find(board) if board else boards.smallest() if held.rule == "board" else None
    found = limits.violations(cost, place, ram_bytes=planned, held=held)
    return Budget(subject, cost, planned, place, tuple(found), held)
