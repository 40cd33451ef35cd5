"""Keeps the libraries of generated networks, which are used once, out of the build folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def passing_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("build")


@pytest.fixture(autouse=True, scope="module")
def _own_build_folder(passing_build: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCENELET_BUILD", str(passing_build))
        yield
