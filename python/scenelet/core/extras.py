"""The packages of an extra: what to install where one of them is missing."""

from __future__ import annotations

import shlex

from ..errors import ToolError

# Set in the environment of a command and so of its worker processes: their Keras starts without what it can do without.
LEAN_KERAS = "SCENELET_LEAN_KERAS"


def remedy(extra: str) -> str:
    """Command that installs an extra's packages, wherever this package came from: a wheel, a clone, an index.

    Parameters
    ----------
    extra
        Name of an extra of pyproject.toml.
    """
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    try:
        stated = [Requirement(text) for text in requires("scenelet") or ()]
    except PackageNotFoundError:  # run from its sources, without an installation
        stated = []
    wanted = [one for one in stated if one.marker and one.marker.evaluate({"extra": extra})]
    own = [one for one in wanted if one.marker and not one.marker.evaluate({"extra": ""})]
    packages = [f"{one.name}{one.specifier}" for one in own] or [f"scenelet[{extra}]"]
    return shlex.join(["pip", "install", *packages])


def missing(package: str, extra: str) -> ToolError:
    """Make the error of a package that is not installed, with the command that installs its extra."""
    return ToolError(package, "is not installed", remedy(extra))
