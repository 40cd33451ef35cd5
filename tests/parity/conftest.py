"""Lets the parity tests import the shared support modules, and keeps their libraries out of the build folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))


@pytest.fixture(autouse=True, scope="session")
def _own_build_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("SCENELET_BUILD")
    os.environ["SCENELET_BUILD"] = str(tmp_path_factory.mktemp("build"))
    yield
    if before is None:
        del os.environ["SCENELET_BUILD"]
    else:
        os.environ["SCENELET_BUILD"] = before
