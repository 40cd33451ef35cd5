"""The rules of the house that a reader relies on: where things are, how large they are, and who imports whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import scenelet

PACKAGE = Path(scenelet.__file__).parent
REPOSITORY = PACKAGE.parents[1]
TOP = {"__init__", "__main__", "errors"}
# Left to right, as the data flows: a package imports only packages to its left.
PACKAGES = (
    "core", "config", "graph", "tflite", "data", "models", "frontend", "training", "quantization", "compiler",
    "targets", "evaluation", "benchmark", "deploy", "publish", "api", "cli",
)  # fmt: skip
MOST_FILES, MOST_LINES, MOST_FUNCTION_LINES = 16, 400, 65

MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = (PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def imports(path: Path, tree: ast.AST) -> Iterator[str]:
    """Modules of scenelet that a module imports, inside functions and under TYPE_CHECKING included."""
    package = [PACKAGE.name, *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}" if f"{module}.{alias.name}" in NAMES else module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def imported(path: Path) -> set[str]:
    found = set(imports(path, ast.parse(path.read_text("utf-8"))))
    return {name for name in found if name.split(".")[0] == PACKAGE.name}


def at_import(path: Path) -> set[str]:
    """What a module imports when it is imported, TYPE_CHECKING included; a command imports later, in its function."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
    return {name for name in imports(path, tree) if name in NAMES}


def rank(module: str) -> int:
    """Place of a module's package; errors and the package's own file serve all, __main__ is served by all."""
    part = [*module.split("."), "__init__"][1]
    return len(PACKAGES) if part == "__main__" else -1 if part in TOP else PACKAGES.index(part)


def test_the_packages_are_the_stages_and_little_lies_beside_them() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == TOP
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(PACKAGES)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_package_imports_only_packages_to_its_left(path: Path) -> None:
    for other in imported(path):
        assert rank(other) <= rank(name_of(path)), f"{name_of(path)} imports {other}, which lies to its right"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name_of(path): at_import(path) - {name_of(path)} for path in MODULES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_test_modules_have_names_of_their_own() -> None:
    """Pytest imports them by name, for the folders of tests are no packages."""
    names = [path.name for path in (REPOSITORY / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_no_folder_is_crowded() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    sources = [Path(line) for line in listed.splitlines() if Path(line).suffix in (".py", ".c")]
    counted = {path.parent: sum(other.parent == path.parent for other in sources) for path in sources}
    # __init__.py says what a folder is for; it is no source to choose from.
    crowded = {
        str(folder): count
        for folder, count in counted.items()
        if count - (folder / "__init__.py" in sources) > MOST_FILES
    }
    assert not crowded


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MOST_FUNCTION_LINES, f"{node.name} has {lines} lines"


@pytest.mark.parametrize(
    "modules",
    ["scenelet.cli.app", "scenelet.benchmark.budget, scenelet.deploy.export, scenelet.evaluation.evaluate"],
)
def test_the_light_core_does_without_tensorflow(modules: str) -> None:
    code = f"import sys; import {modules}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
