"""The command that a missing package's error prints installs what its extra brings, without knowing any place."""

import shlex
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from scenelet.core import extras, toolchain

STATED = tomllib.loads((toolchain.REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata that pyproject.toml gives, as a wheel states it."""
    lines = list(STATED["dependencies"])
    for extra, packages in STATED["optional-dependencies"].items():
        for package in packages:
            name, _, marker = package.partition(";")
            lines.append(f"{name}; " + (f"({marker.strip()}) and " if marker else "") + f'extra == "{extra}"')
    monkeypatch.setattr(metadata, "requires", lambda _: lines)


def bare(package: str) -> str:
    """Name and versions, in the order that packaging writes them."""
    requirement = Requirement(package)
    return f"{requirement.name}{requirement.specifier}"


@pytest.mark.usefixtures("stated")
@pytest.mark.parametrize("extra", [*STATED["optional-dependencies"]])
def test_an_extras_packages_are_named_and_no_others(extra: str) -> None:
    command = extras.remedy(extra)
    named = {bare(package) for package in STATED["optional-dependencies"][extra]}
    words = set(shlex.split(command.removeprefix("pip install ")))
    assert words <= named
    assert len(named - words) == (1 if extra == "train" else 0)  # TensorFlow's package of another platform
    assert not words & {bare(package) for package in STATED["dependencies"]}


def test_without_an_installation_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> list[str]:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "requires", absent)
    assert extras.remedy("ray") == "pip install 'scenelet[ray]'"
    assert str(extras.missing("ray", "ray")) == "ray: is not installed; pip install 'scenelet[ray]'"
