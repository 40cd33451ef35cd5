from __future__ import annotations

from pathlib import Path

import pytest

from scenelet.deploy.bundles.kinds import NAMES
from scenelet.deploy.export import export


@pytest.fixture(scope="session")
def bundles(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of every kind, by its name."""
    folder = tmp_path_factory.mktemp("bundles")
    for kind in NAMES:
        export(small_file, folder / kind, bundle=kind)
    return folder
