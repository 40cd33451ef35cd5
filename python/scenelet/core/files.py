"""Atomic writing of files and folders: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError
from . import processes

_PART = ".part"
_SCRATCH = "scenelet"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for writing; it appears, or replaces the old one, when the block ends without an error.

    A device or a pipe (/dev/stdout) is written to; it is never replaced.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    path = Path(path)
    stands_for_another = str(path.absolute()).startswith(("/dev/std", "/dev/fd/", "/proc/"))
    if path.exists() and (stands_for_another or not (path.is_file() or path.is_dir())):
        with writing(path), path.open("wb") as device:
            yield device
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _locked_temporary(path)
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
    """Write a file atomically: neither a reader nor a killed process leaves a part of it."""
    with whole_file(path) as file:
        file.write(content)


@contextlib.contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """Make a hidden temporary folder beside a path, whose content is moved to the path once it is complete.

    The folder is removed at the end of the block. A killed process leaves its folder; the next call for the same path
    removes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder, handle = _locked_folder(path.parent, path.name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep(folder: Path, name: str = "*") -> None:
    """Remove temporary files and folders of killed processes; those that a living process has locked stay.

    Parameters
    ----------
    folder
        Folder to search, without its subfolders.
    name
        Name of the file or folder that was being written; "*" for any.
    """
    for left in folder.glob(f".{name if name == '*' else glob.escape(name)}.*{_PART}"):
        with contextlib.suppress(OSError):  # locked, or removed by another process
            handle = _lock(left, wait=False)
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink()
            os.close(handle)


def _lock(path: str | Path, *, wait: bool = True) -> int:
    """Lock a file or folder until the handle is closed or the process ends."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(handle)
        raise
    return handle


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Wait until no other process holds a folder, which is made where it is missing, and hold it for the block."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = _lock(folder)
    try:
        yield
    finally:
        os.close(handle)


def _locked_folder(parent: Path, name: str) -> tuple[Path, int]:
    """Make a hidden temporary folder, and remove those that killed processes left there."""
    sweep(parent, name)
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=f".{name}.", suffix=_PART))
        with contextlib.suppress(FileNotFoundError):  # another process removed it before the lock
            handle = _lock(folder)
            if folder.exists():
                return folder, handle
            os.close(handle)


def _locked_temporary(path: Path) -> tuple[int, str]:
    """Open a temporary file beside a path: what a killed process left there, or a new one."""
    usual = str(path.parent / f".{path.name}.0{_PART}")  # one name, so that no leftover has to be searched for
    handle = _taken(usual)
    if handle is not None:
        return handle, usual
    while True:  # a living process writes the same file
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_PART)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # no other process removed it before the lock
            return handle, temporary
        os.close(handle)


def _taken(name: str) -> int | None:
    """Open, lock and empty a file of this user; None where that is not possible."""
    handle = None
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(handle)
        if os.path.samestat(found, os.stat(name)) and found.st_uid == os.geteuid() and found.st_nlink == 1:
            if found.st_size:
                os.ftruncate(handle, 0)
            return handle
    except OSError:
        pass
    if handle is not None:
        os.close(handle)
    return None


def require_place(*paths: str | Path | None, read: Iterable[Path] = ()) -> None:
    """Check, before hours of work, that files can be written.

    Parameters
    ----------
    paths
        Files to write; None is skipped, and nothing is created.
    read
        What the work reads: no file of it may be replaced.

    Raises
    ------
    InputError
        A file cannot be written, or is read.
    """
    sources = [source for source in read if source.exists()]
    for path in (Path(path) for path in paths if path is not None):
        if any(path.exists() and path.samefile(source) for source in sources if source.is_file()):
            raise InputError(path, "is read by this command, which would replace it", "choose another place")
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


def _unwritable(path: str | Path, error: OSError, otherwise: str = "choose another place") -> InputError:
    return InputError(path, f"cannot be written: {error.strerror or error}", _remedy(error, otherwise))


def unreadable(path: str | Path, error: OSError) -> InputError:
    """Make the error of a file or folder that the system does not let be read: that is no damage."""
    problem = "no such file" if error.errno == errno.ENOENT else f"cannot be read: {error.strerror or error}"
    return InputError(path, problem, _remedy(error, "check the path"))


def _remedy(error: OSError, otherwise: str) -> str:
    if error.errno == errno.EFBIG:
        return "allow larger files (ulimit -f), or choose another place"
    if error.errno in _FULL:
        return "free space there, or choose another place"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "allow more open files (ulimit -n), or use fewer --jobs"
    if error.errno in (errno.EACCES, errno.EPERM) and otherwise == "check the path":
        return "check its permissions"
    return otherwise


def is_there(path: str | Path) -> bool:
    """Whether anything has a path's name: a file, a folder in its place, a link to nowhere.

    Raises
    ------
    InputError
        The system does not tell, as where the folder above may not be searched.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(path, error) from None
    return True


def read_bytes(path: str | Path) -> bytes:
    """Read a file.

    Raises
    ------
    InputError
        The system does not let it be read, or it is missing, or a device, some of which never end; the message says
        which.
    """
    try:
        if is_device(path):
            raise InputError(path, "is a device", "give a file")
        return Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def is_device(path: str | Path) -> bool:
    """Whether a path leads to a device, of which some, such as /dev/zero, never end.

    Raises
    ------
    OSError
        There is nothing, or the system does not tell.
    """
    mode = os.stat(path).st_mode
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode)


def require_readable(path: str | Path) -> None:
    """Raise InputError unless the system lets a file be read; it is not, and a pipe's writer is not waited for."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        raise unreadable(path, error) from None


@contextlib.contextmanager
def writing(place: str | Path, remedy: str = "choose another place") -> Iterator[None]:
    """Name a file or folder in the error of whatever cannot be written inside the block, such as on a full disk.

    For files that are not written by :func:`whole_file`: appended ones, and those of temporary folders.

    Raises
    ------
    InputError
        The place cannot be written; the remedy, unless the disk is full, is the one given.
    """
    try:
        yield
    except BrokenPipeError:  # the reader of standard output has gone; that is no file
        raise
    except OSError as error:
        raise _unwritable(place, error, remedy) from None


@contextlib.contextmanager
def scratch(place: Path | None = None) -> Iterator[Path]:
    """Make a temporary folder that is removed at the end of the block.

    A killed process leaves its folder; the next call for the same place removes it.

    Parameters
    ----------
    place
        Folder in the build folder to make it in, created where it is missing; by default that of the system (TMPDIR).

    Raises
    ------
    InputError
        The place cannot be written, or is full.
    """
    remedy = f"set {'SCENELET_BUILD' if place else 'TMPDIR'} to a folder that can be written"
    place = place or Path(tempfile.gettempdir())
    with contextlib.ExitStack() as stack:
        with writing(place, remedy):
            folder = stack.enter_context(scratch_beside(place / _SCRATCH))
        try:
            yield folder
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise _unwritable(place, error) from None


def require_free(size: int) -> None:
    """Check that the system's temporary folder has room, for libraries that end the whole process where it has none.

    Raises
    ------
    InputError
        It has fewer than ``size`` bytes.
    """
    place = tempfile.gettempdir()
    if shutil.disk_usage(place).free < size:
        raise _unwritable(place, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 text file atomically; bytes of names that are not UTF-8 are written as backslash escapes."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_folder(folder: Path, contents: Mapping[str, str], stale: Iterable[Path] = ()) -> None:
    """Write text files by name, all or none; unchanged files keep their time stamps, so that builds stay incremental.

    Every file is complete on the disk before the first one appears, so a full disk leaves the old set.

    Parameters
    ----------
    folder
        Created where it is missing.
    contents
        Text by path within it.
    stale
        Files in it that go with the old set, and their folders where nothing else is in them.

    Raises
    ------
    InputError
        A file cannot be written.
    """
    new = not folder.exists()
    try:
        with contextlib.ExitStack() as files:
            for name, text in sorted(contents.items()):
                path, content = folder / name, text.encode(errors="backslashreplace")
                if not path.is_file() or path.read_bytes() != content:
                    file = files.enter_context(whole_file(path))
                    file.write(content)
                    file.flush()
                    if path.is_dir():
                        raise _unwritable(path, OSError(errno.EISDIR, os.strerror(errno.EISDIR)))
            with processes.undisturbed():  # a signal must not leave a part of the new set
                files.close()
                for path in stale:
                    _remove(path, folder)
    except BaseException:
        if new:  # of what was made here, only empty folders are left
            for left in sorted((path.parent for path in map(folder.joinpath, contents)), reverse=True):
                with contextlib.suppress(OSError):
                    left.rmdir()
        raise


def _remove(path: Path, root: Path) -> None:
    """Remove a file, and the folders between it and ``root`` that are empty then."""
    with writing(path):
        path.unlink(missing_ok=True)
    for folder in path.relative_to(root).parents[:-1]:
        with contextlib.suppress(OSError):
            (root / folder).rmdir()


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
