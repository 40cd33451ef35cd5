"""Every data set is one module and one row of the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenelet.data.datasets import class_folders
from scenelet.data.datasets.registry import CLASS_FOLDERS, FORMATS, DatasetFormat, licence_text, open_dataset
from scenelet.data.synthetic.city import City

DOCUMENT = Path(__file__).parents[3] / "docs" / "DATA.md"


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_row_is_complete_and_documented(row: DatasetFormat) -> None:
    assert callable(row.detect)
    assert callable(row.read)
    assert row.licence.endswith(".")
    assert f"`{row.name}`" in DOCUMENT.read_text("utf-8"), f"docs/DATA.md does not mention {row.name}"


def test_names_differ_and_class_folders_are_tried_last() -> None:
    names = [row.name for row in FORMATS]
    assert len(set(names)) == len(names)
    assert FORMATS[-1] is CLASS_FOLDERS


def test_the_first_row_that_detects_a_folder_reads_it(esc10: Path, tau: Path, small_city: City, tmp_path: Path) -> None:
    for folder, name in ((esc10, "esc10"), (tau, "tau2022"), (small_city.folder, "synthetic_city")):
        row = next(row for row in FORMATS if row.detect(folder))
        assert (row.name, row.read(folder, None).name, open_dataset(folder).name) == (name, name, name)
    assert next(row for row in FORMATS if row.detect(tmp_path)) is CLASS_FOLDERS


def test_own_recordings_have_no_licence_but_their_owners() -> None:
    assert "CC BY 3.0" in licence_text("esc10")
    assert licence_text("kitchen") == class_folders.LICENCE.replace("{name}", "kitchen")
    assert "`kitchen`" in licence_text("kitchen")
    assert r"``a`b\n``" in licence_text("a`b\n"), "a name from a model's metadata ends neither code nor line"
