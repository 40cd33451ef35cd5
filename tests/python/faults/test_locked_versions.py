"""requirements.lock: every dependency has a version that pyproject.toml accepts, with hashes, from no stated place.

And what is made of it: the bill of materials and the page with the licences.
"""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path
from types import ModuleType

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scenelet.core.toolchain import REPOSITORY

LOCK = (REPOSITORY / "requirements.lock").read_text("utf-8")
LOCKED_FOR = {"sys_platform": "linux", "platform_machine": "x86_64"}
PINNED = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", LOCK, re.MULTILINE))


def test_every_dependency_is_pinned_to_a_version_that_is_accepted() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert len(wanted) > 20
    for text in wanted:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate(LOCKED_FOR):
            continue
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


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", REPOSITORY / "tools" / "sbom.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["sbom"] = module
    spec.loader.exec_module(module)
    return module


def test_the_bill_is_valid_and_names_every_package_with_its_hashes(sbom: ModuleType) -> None:
    found = sbom.packages()
    assert {one.name: one.version for one in found} == PINNED
    licence, serial = sbom.licences(found), uuid.UUID(int=1)
    bill = sbom.bill(found, licence, serial)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    assert sbom.bill(found, licence, serial) == bill
    parts = json.loads(bill)["components"]
    assert {part["purl"] for part in parts} == {f"pkg:pypi/{name}@{version}" for name, version in PINNED.items()}
    assert sum(len(part["externalReferences"][0]["hashes"]) for part in parts) == LOCK.count("--hash=sha256:")
    unstated = {part["name"] for part in parts if "licenses" not in part}
    assert unstated == {name for name, words in licence.items() if words == sbom.UNKNOWN}
    assert len(unstated) < 5


def test_a_page_that_is_not_what_the_lock_gives_is_stale() -> None:
    command = [sys.executable, REPOSITORY / "tools" / "sbom.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_answers_for_what_is_not_installed(sbom: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "LICENCES.md"
    page.write_text("| package | version | licence |\n|---|---|---|\n| absent | 1.0 | BSD-3-Clause |\n", "utf-8")
    absent, numpy = sbom.Package("absent", "1.0", ()), sbom.Package("numpy", PINNED["numpy"], ())
    licence = sbom.licences([absent, numpy, sbom.Package("unheard", "1.0", ())], page)
    assert licence["absent"] == "BSD-3-Clause"
    assert licence["unheard"] == sbom.UNKNOWN
    assert "| absent | 1.0 | BSD-3-Clause |" in list(sbom.table([absent], licence))


def test_what_the_page_says_is_what_a_package_says(sbom: ModuleType) -> None:
    """Its expression; else its words, where they are an SPDX name; else its classifiers."""
    assert sbom.stated("cffi") == "MIT-0"
    assert sbom.stated("cyclonedx-python-lib") == "Apache-2.0"
    assert sbom.stated("cycler") == "BSD License"
