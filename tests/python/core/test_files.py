import errno
import os
import resource
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


@pytest.mark.parametrize("kind", ["file", "scratch"])
def test_the_same_command_again_leaves_nothing_of_a_killed_one(kind: str, tmp_path: Path) -> None:
    program = KILLED.replace("files.scratch_beside", "files.scratch")
    path = tmp_path / "model.h" if kind == "file" else tmp_path
    assert subprocess.run([sys.executable, "-c", program, kind, str(path)], check=False).returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    if kind == "file":
        files.write_text(path, "whole")
        assert [(one, one.read_text()) for one in tmp_path.iterdir()] == [(path, "whole")]
    else:
        with files.scratch(path) as folder:
            assert list(tmp_path.iterdir()) == [folder]
        assert not list(tmp_path.iterdir())


def test_a_temporary_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """In a folder for everybody, such as /tmp, another user could have put it there."""
    (tmp_path / "other").write_text("untouched")
    (tmp_path / ".page.html.0.part").symlink_to(tmp_path / "other")
    (tmp_path / ".card.md.0.part").hardlink_to(tmp_path / "other")
    for name in ("page.html", "card.md"):
        files.write_text(tmp_path / name, "mine")
        assert (tmp_path / name).read_text() == "mine"
    assert (tmp_path / "other").read_text() == "untouched"


def test_two_writers_of_one_file_each_write_their_own_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with files.whole_file(path) as first:
        first.write(b"first")
        files.write_bytes(path, b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
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


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [FULL, OSError(errno.EFBIG, os.strerror(errno.EFBIG))])
def test_a_full_disk_is_named_with_the_place(tmp_path: Path, error: OSError) -> None:
    def fill(folder: Path) -> None:
        (folder / "a").write_text("x")
        raise error

    said = r"place: cannot be written: .*; (free space there|allow larger files .*), or choose another place"
    with pytest.raises(InputError, match=said), files.writing(tmp_path / "place"):
        raise error
    with pytest.raises(InputError, match=said), files.scratch(tmp_path / "place") as folder:
        fill(folder)
    assert list((tmp_path / "place").iterdir()) == []


def test_a_build_folder_that_cannot_be_written_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match=r"cannot be written: .*; set SCENELET_BUILD to a folder that can be written"),
        files.scratch(tmp_path / "file" / "native"),
    ):
        pass


def test_other_errors_in_a_scratch_folder_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.scratch(tmp_path) as folder:
        (folder / "missing").read_bytes()


@pytest.mark.parametrize("there", [False, True])
def test_a_set_of_files_is_written_whole_or_not_at_all(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "out"
    if there:
        files.write_folder(folder, {"a.c": "old", "z.c": "old"})
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(InputError, match=r"out/z\.c: cannot be written: File too large"):
            files.write_folder(folder, {"a.c": "new", "deep/b.c": "new", "z.c": "x" * 100_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    held = {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert held == ({"a.c": "old", "z.c": "old"} if there else {})
    assert folder.exists() == there


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "cannot be read: Permission denied; check its permissions"),
        (errno.EMFILE, "cannot be read: Too many open files; allow more open files"),
        (errno.EIO, "cannot be read: Input/output error; check the path"),
        (errno.ENOENT, "no such file; check the path"),
    ],
)
def test_what_the_system_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    def refuse(_: Path) -> bytes:
        raise OSError(number, os.strerror(number))

    (tmp_path / "a").touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=said):
        files.read_bytes(tmp_path / "a")


def test_text_from_names_that_are_not_utf_8_is_escaped(tmp_path: Path) -> None:
    files.write_text(tmp_path / os.fsdecode(b"n\xff"), os.fsdecode(b"n\xff"))
    assert (tmp_path / os.fsdecode(b"n\xff")).read_text("utf-8") == r"n\udcff"


def test_a_folder_that_may_not_be_searched_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nowhere").symlink_to("gone")
    names = {"nowhere": True, "gone": False, "gone/below": False, ".": True}
    assert {name: files.is_there(tmp_path / name) for name in names} == names

    def refuse(_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "lstat", refuse)
    with pytest.raises(InputError, match=r"run\.json: cannot be read: Permission denied; check its permissions"):
        files.is_there(tmp_path / "run.json")


def test_a_device_or_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write_text(pipe, "page")
    assert os.read(reader, 100) == b"page"
    os.close(reader)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    assert pipe.is_fifo()
    files.write_text("/dev/null", "page")
    assert Path("/dev/null").is_char_device()


def test_a_full_device_is_named() -> None:
    with pytest.raises(InputError, match="/dev/full: cannot be written: No space left on device; free space there"):
        files.write_text("/dev/full", "page")
    assert Path("/dev/full").is_char_device()


def test_room_for_temporary_files_is_asked_for() -> None:
    files.require_free(0)
    with pytest.raises(InputError, match="cannot be written: No space left on device; free space there"):
        files.require_free(1 << 62)


def test_a_device_is_not_read() -> None:
    for name in ("/dev/zero", "/dev/null"):
        with pytest.raises(InputError, match=f"^{name}: is a device; give a file$"):
            files.read_bytes(name)


def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    files.require_readable(tmp_path / "pipe")
    with pytest.raises(InputError, match="no such file"):
        files.require_readable(tmp_path / "gone")


def test_a_file_that_is_read_is_no_place_to_write(tmp_path: Path) -> None:
    model, other = tmp_path / "model.tflite", tmp_path / "other"
    model.write_bytes(b"1")
    other.symlink_to(model)
    files.require_place(tmp_path / "new", None, read=[model, tmp_path / "gone", tmp_path])
    for place in (model, other):
        with pytest.raises(InputError, match="is read by this command, which would replace it; choose another place"):
            files.require_place(place, read=[model])
