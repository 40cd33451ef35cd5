"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError

_PART = ".part"


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for writing that appears, or takes the old one's place, when the block has ended well.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _held_temporary(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
            os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill, never sees a part of it."""
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """Make a hidden folder beside a path, for what is moved there when it is whole; what is left of it is removed.

    A process that is killed leaves its folder; the next one that wants one for the same path removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    parent = _hold(path.parent)  # or another process might take a folder that is not held yet for a dead one's
    try:
        sweep(path.parent, path.name)
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART))
        handle = _hold(folder)
    finally:
        os.close(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep(folder: Path, name: str = "*") -> None:
    """Remove what processes that were killed have left of files and folders of a name; what is held by others stays."""
    for left in folder.glob(f".{name if name == '*' else glob.escape(name)}.*{_PART}"):
        with contextlib.suppress(OSError):  # held, or another sweeper was quicker
            handle = _hold(left, wait=False)
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink()
            os.close(handle)


def _hold(path: str | Path, *, wait: bool = True) -> int:
    """Lock a file or folder until the handle is closed, be it by the end of the process."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        raise
    return handle


def _held_temporary(path: Path) -> tuple[int, str]:
    while True:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # no sweeper came in between
            return handle, temporary
        os.close(handle)


def require_place(*paths: str | Path | None) -> None:
    """Insist, before the work of hours, that files can be written; None is no file. Leaves no trace.

    Raises
    ------
    InputError
        As writing them would.
    """
    for path in (Path(path) for path in paths if path is not None):
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if path.is_dir():
            problem = errno.EISDIR
        elif not folder.is_dir():
            problem = errno.ENOTDIR
        elif not os.access(folder, os.W_OK | os.X_OK):
            problem = errno.EACCES
        else:
            continue
        raise _unwritable(path, OSError(problem, os.strerror(problem)))


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(path, f"cannot be written: {error.strerror or error}", "choose another place")


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 text file whole."""
    write_bytes(path, text.encode())


def write_folder(folder: Path, contents: Mapping[str, str]) -> None:
    """Write a set of text files; those that hold the same already are left untouched (builds stay warm)."""
    for name, text in sorted(contents.items()):
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode():
            write_text(path, text)


def sha256(path: str | Path) -> str:
    """Hash of a file's content."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
