"""The documentation names what there is: paths, modules, links, an index of all pages, metadata that parses."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import scenelet

PACKAGE = Path(scenelet.__file__).parent
REPOSITORY = PACKAGE.parents[1]
DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md"), *(REPOSITORY / "firmware" / "models").glob("*.md")])
# The changelog speaks of trees of the past.
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
INDEX = DOCS / "README.md"
MKDOCS = REPOSITORY / "mkdocs.yml"
TOP_FOLDERS = (".ci/", ".github/", "docs/", "firmware/", "python/", "tests/", "tools/")
SOURCE_SUFFIXES = (".c", ".h", ".j2", ".ld", ".py", ".sh")
# Names that stand for what a reader chooses, and files of other projects.
PLACEHOLDER = re.compile(r"myboard|harbour|[<>*]|\.\.\.|(?<![A-Z])(NAME|NNNN|MODEL|RUN|BOARD|FILE)(?![A-Z])")
FOREIGN = {
    "benchmark/api/internally_implemented.cpp",
    "evaluate_submission.py",
    "evaluate_submissions.py",
    "feature_handler.py",
    "qemu-plugin.h",
    "submission_test.py",
    "test_complexity.py",
}

CODE = re.compile(r"^```.*?^```$|`[^`]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def identify(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def tracked() -> set[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return set(subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines())


FILES = tracked()
FOLDERS = {str(parent) for name in FILES for parent in Path(name).parents}


def words(page: Path) -> Iterator[str]:
    """Words of a page's code, braces expanded: ``a.{h,c}`` is ``a.h`` and ``a.c``."""
    for code in CODE.findall(page.read_text("utf-8")):
        for word in re.split(r"[\s`,;()=\"']+(?![^{}]*\})", code):
            start, brace, rest = word.partition("{")
            middle, _, end = rest.partition("}")
            for part in middle.split(",") if brace else [""]:
                yield (start + part + end).split(":")[0].rstrip(".")


def exists(path: str) -> bool:
    """Whether a file or a folder has this path, or ends in it: pages leave out the beginning that is clear."""
    name = path.rstrip("/").removeprefix("./")
    return any(entry == name or entry.endswith("/" + name) for entry in FILES | FOLDERS)


def is_missing(word: str) -> bool:
    """Whether a word is a path of this repository that does not exist; run folders and build output are no sources."""
    if word.startswith(TOP_FOLDERS):
        return word.rstrip("/") not in FILES | FOLDERS
    return word.endswith(SOURCE_SUFFIXES) and not word.startswith(("/", "build/", "-")) and not exists(word)


@pytest.mark.parametrize("page", CURRENT, ids=identify)
def test_paths_exist(page: Path) -> None:
    missing = {
        word for word in words(page) if not PLACEHOLDER.search(word) and word not in FOREIGN and is_missing(word)
    }
    assert not missing


def defined(path: Path) -> set[str]:
    """Names that a module has at its top: definitions, constants, imports."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def resolves(name: str) -> bool:
    """Whether ``scenelet.package.module.thing`` is a package, a module or a name in one."""
    place = PACKAGE
    parts = name.split(".")[1:]
    for number, part in enumerate(parts):
        if (place / part / "__init__.py").is_file():
            place = place / part
            continue
        module = place / f"{part}.py"
        if module.is_file():
            return len(parts) == number + 1 or parts[number + 1] in defined(module)
        return part in defined(place / "__init__.py")
    return True


@pytest.mark.parametrize("page", CURRENT, ids=identify)
def test_modules_and_their_names_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    names = set()
    for code in CODE.findall(text):
        names |= set(re.findall(r"(?<![\w./-])scenelet(?!\.json)(?:\.[A-Za-z_]\w*)+", code))
        for module, imported in re.findall(r"^from (scenelet[\w.]*) import (.+)$", code, re.MULTILINE):
            names |= {f"{module}.{name.strip()}" for name in imported.split(",")}
    assert not {name for name in names if not resolves(name)}


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_resolve(page: Path) -> None:
    prose = CODE.sub("", page.read_text("utf-8"))
    for link in LINK.findall(prose):
        if link.startswith(("http://", "https://")):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(path), f"{link}: no such heading"


def test_every_page_is_in_the_index() -> None:
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in LINK.findall(INDEX.read_text("utf-8"))}
    for index in (DOCS / "decisions" / "README.md", DOCS / "results" / "README.md"):
        listed |= {(index.parent / link).resolve() for link in LINK.findall(index.read_text("utf-8"))}
    assert (
        not {identify(page) for page in DOCS.rglob("*.md")}
        - {identify(INDEX)}
        - {identify(page) for page in listed if page.is_relative_to(REPOSITORY)}
    )


def places(nav: object) -> Iterator[str]:
    """Pages of the site's navigation."""
    if isinstance(nav, str):
        yield nav
    for inner in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from places(inner)


def test_every_page_is_in_the_sites_navigation_once() -> None:
    """Pages of decisions/ and results/ are added by themselves (tools/site/hooks.py)."""
    named = list(places(yaml.safe_load(re.sub(r"!!python\S+", "", MKDOCS.read_text("utf-8")))["nav"]))
    assert len(named) == len(set(named))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    alone = {page for page in pages if not page.startswith(("decisions/", "results/"))}
    assert not alone - set(named), "add these pages to the navigation in mkdocs.yml"
    assert (
        not {name for name in named if not name.startswith(("source/", "reference_")) and "notebook" not in name}
        - pages
    )


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(page.name[:4] for page in (DOCS / "decisions").glob("[0-9]*.md"))
    assert numbers == [f"{number + 1:04}" for number in range(len(numbers))]


def test_the_glossary_is_in_order_and_says_each_term_once() -> None:
    terms = re.findall(r"^- \*\*(.+?)\*\*", (DOCS / "GLOSSARY.md").read_text("utf-8"), re.MULTILINE)
    keys = [re.sub(r"[^a-z0-9 ]", "", term.lower()) for term in terms]
    assert keys == sorted(set(keys))


YAML = sorted(
    [*(REPOSITORY / ".github").rglob("*.yml"), REPOSITORY / "CITATION.cff", REPOSITORY / ".pre-commit-config.yaml"]
)


@pytest.mark.parametrize("path", YAML, ids=identify)
def test_metadata_parses(path: Path) -> None:
    content = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(content, dict)
    if path.parent.name == "ISSUE_TEMPLATE" and path.name != "config.yml":
        assert {"name", "description", "body"} <= set(content)
        identities = [entry["id"] for entry in content["body"] if entry["type"] != "markdown"]
        assert len(identities) == len(set(identities))


def test_one_version_everywhere() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text("utf-8"))
    newest = re.search(r"^## (\S+) - (\S+)$", (REPOSITORY / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest.groups() == (scenelet.__version__, str(citation["date-released"]))
    assert citation["version"] == scenelet.__version__


def test_a_release_has_each_heading_once() -> None:
    releases = (REPOSITORY / "CHANGELOG.md").read_text("utf-8").split("\n## ")[1:]
    for release in releases:
        headings = re.findall(r"^### (\w+)$", release, re.MULTILINE)
        assert headings == [name for name in ("Added", "Changed", "Fixed") if name in headings]
