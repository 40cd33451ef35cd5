"""requirements.lock: every dependency has a version that pyproject.toml accepts, with hashes, from no stated place."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scenelet.core.toolchain import REPOSITORY

LOCK = (REPOSITORY / "requirements.lock").read_text("utf-8")
PINNED = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", LOCK, re.MULTILINE))


def test_every_dependency_is_pinned_to_a_version_that_is_accepted() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert len(wanted) > 20
    for text in wanted:
        requirement = Requirement(text)
        version = PINNED[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), f"{text}: {version}"


def test_every_version_has_hashes_and_names_no_place() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK[re.search(r"^[a-z]", LOCK, re.MULTILINE).start() :])
    assert len(entries) == len(PINNED) > 100
    for entry in entries:
        first, *hashes = entry.strip().split(" \\\n")
        assert hashes, first
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", one) for one in hashes), first
    assert "://" not in LOCK
