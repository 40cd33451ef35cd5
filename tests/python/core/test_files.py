import os
import subprocess
import sys
from pathlib import Path

import pytest

from scenelet.core import files
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


KILLED = """
import os, sys
from pathlib import Path
from scenelet.core import files
kind, path = sys.argv[1], Path(sys.argv[2])
with (files.whole_file if kind == "file" else files.scratch_beside)(path):
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_is_removed_by_the_next(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "city[1]"
    assert subprocess.run([sys.executable, "-c", KILLED, kind, str(path)], check=False).returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".city[1].")
    with files.scratch_beside(path) as folder:
        assert not left.exists()
        (folder / "city").mkdir()
        (folder / "city").replace(path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_living_process_holds_is_not_swept(tmp_path: Path) -> None:
    with files.scratch_beside(tmp_path / "a") as held, files.scratch_beside(tmp_path / "a") as other:
        assert held.is_dir()
        assert held != other
        with files.whole_file(tmp_path / "b") as file:
            files.sweep(tmp_path)
            file.write(b"whole")
        assert held.is_dir()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("b", b"whole")]


def test_a_place_is_looked_at_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    files.require_place(tmp_path / "new" / "page.html", None, tmp_path / "file")
    for path in (tmp_path / "file" / "x", tmp_path):
        with pytest.raises(InputError, match=r"cannot be written: .*; choose another place"):
            files.require_place(path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
