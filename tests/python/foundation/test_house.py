"""The house's rules that a reader relies on: who imports whom, and that the light core is light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import scenelet

PACKAGE = Path(scenelet.__file__).parent
FOUNDATION = {
    "__init__", "cost", "energy", "errors", "files", "flatfile", "graph", "limits", "logmel", "metadata", "network",
    "parallel", "quiet", "recipe", "render", "scores", "section", "toolchain",
}  # fmt: skip
# Left to right, as the data flows.
STAGES = [
    {"data"},
    {"frontend"},
    {"models"},
    {"training"},
    {"tidy"},
    {"quantize"},
    {"compiler"},
    {"targets"},
    {"budget", "evaluate", "explain", "parity", "sqnr", "fakequant", "aware"},
    {
        "export",
        "predict",
        "bench",
        "profile",
        "report",
        "outcomes",
        "crossval",
        "card",
        "confusion",
        "load",
        "submission",
    },
    {"device", "listen", "decision", "soak", "inspection"},
    {"reliability"},
    {"demo"},
    {"cli", "__main__"},
]


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path


def imported_stages(path: Path) -> set[str]:
    """Top-level names below scenelet that a module imports, wherever in it."""
    package = ["scenelet", *path.relative_to(PACKAGE).parent.parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
            found |= {
                name if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file() else "__init__"
                for name in names
            }
    return found


def rank(stage: str) -> int:
    if stage in FOUNDATION:
        return -1
    return next(position for position, row in enumerate(STAGES) if stage in row)


def test_every_module_has_its_place() -> None:
    known = FOUNDATION.union(*STAGES)
    assert {stage for stage, _ in modules()} <= known


@pytest.mark.parametrize(("stage", "path"), list(modules()), ids=lambda value: getattr(value, "stem", value))
def test_a_stage_imports_only_stages_to_its_left(stage: str, path: Path) -> None:
    for other in imported_stages(path) - {stage}:
        assert rank(other) <= rank(stage), f"{path.relative_to(PACKAGE)} imports {other}, which lies to its right"


@pytest.mark.parametrize("modules_", ["scenelet.cli.app", "scenelet.budget, scenelet.export, scenelet.evaluate"])
def test_the_light_core_does_without_tensorflow(modules_: str) -> None:
    code = f"import sys; import {modules_}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
