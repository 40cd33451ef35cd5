import os
from pathlib import Path

import pytest

from scenelet import files
from scenelet.errors import InputError


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.h"
    files.write_text(path, "old")

    def break_down(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", break_down)
    with pytest.raises(InputError, match="No space"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unwritable_place_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        files.write_text(tmp_path / "file" / "below.txt", "x")


def test_a_folder_in_the_files_place_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(InputError, match=r"page\.html: cannot be written"):
        files.write_text(tmp_path / "page.html", "x")
    assert list(tmp_path.iterdir()) == [tmp_path / "page.html"]


def test_files_that_hold_the_same_already_are_left_untouched(tmp_path: Path) -> None:
    files.write_folder(tmp_path, {"a.c": "one", "b.c": "two"})
    os.utime(tmp_path / "a.c", (1, 1))
    files.write_folder(tmp_path, {"a.c": "one", "b.c": "three"})
    assert (tmp_path / "a.c").stat().st_mtime == 1
    assert (tmp_path / "b.c").read_text() == "three"
