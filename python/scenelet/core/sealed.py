"""Files that carry a hash of their own content, so that damage is found before the content is used.

A seal is the last part of a file: a mark and the SHA-256 of all bytes before it, 80 bytes of ASCII. In a zip (.npz,
.keras) it is the archive's comment, after a .npy's values it is a rest that NumPy ignores, so other programs read
sealed files as before. A changed, missing or added bit anywhere is noticed, those of names, types, shapes and of the
zip's directory included. A zip's own checksums cover its members' bytes only.

Versions before 0.2 wrote no seals. A file is taken for one of theirs only if its end is that of a whole file without a
seal; no flipped bit and no cut makes a sealed file look so.
"""

from __future__ import annotations

import hashlib
import io
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DamagedFileError
from .files import read_bytes, write_bytes

_MARK = b"scenelet sha256 "
SEAL_BYTES = len(_MARK) + 64
_ZIP_END = b"PK\5\6"
_ZIP_END_BYTES = 22
_READ_BYTES = 1 << 20


def _seal(digest: str) -> bytes:
    return _MARK + digest.encode("ascii")


def seal(content: bytes) -> bytes:
    """Add a seal to any content."""
    return content + _seal(hashlib.sha256(content).hexdigest())


def unseal(content: bytes, subject: object, remedy: str) -> bytes:
    """Take the seal off a content of :func:`seal`.

    Raises
    ------
    DamagedFileError
        The content is not what was sealed.
    """
    if not _sealed(content):
        raise DamagedFileError(subject, "is damaged", remedy)
    return content[:-SEAL_BYTES]


def seal_zip(content: bytes) -> bytes:
    """Add a seal to a zip archive without a comment."""
    body = content[:-2] + SEAL_BYTES.to_bytes(2, "little")  # the comment's length
    return seal(body)


def _sealed(content: bytes) -> bool:
    """Whether a content ends in its own seal."""
    return content[-SEAL_BYTES:] == _seal(hashlib.sha256(content[:-SEAL_BYTES]).hexdigest())


def require_whole_zip(content: bytes, subject: object, remedy: str) -> bool:
    """Check a zip's seal.

    Returns
    -------
    bool
        False for an archive of an earlier version, which has no seal.

    Raises
    ------
    DamagedFileError
        The content is not what was sealed, or is no zip.
    """
    if _sealed(content):
        return True
    end = content[-_ZIP_END_BYTES:]
    if end[:4] == _ZIP_END and end[-2:] == b"\0\0":
        return False
    raise DamagedFileError(subject, "is damaged", remedy)


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Sealed .npz of named arrays."""
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # of an array named "allow_pickle", which nobody writes
    return seal_zip(content.getvalue())


def unpack(content: bytes, subject: object, remedy: str, *, seal: bool = False) -> dict[str, NDArray[Any]]:
    """Read the arrays of a .npz.

    Parameters
    ----------
    content
        Of the file.
    subject, remedy
        Of the error.
    seal
        Whether to refuse files of earlier versions, which have no seal.

    Raises
    ------
    DamagedFileError
        The content is damaged, or has no seal where one is required.
    """
    if not require_whole_zip(content, subject, remedy) and seal:
        raise DamagedFileError(subject, "has no hash of its content, as files of version 0.1", remedy)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                return {name: np.asarray(file[name]) for name in file.files}
    # Without a seal, anything may come: BadZipFile, KeyError, EOFError, struct.error, zlib.error, NotImplementedError,
    # RuntimeError, TokenError, MemoryError ... The content is in memory, so no failed reading is among them.
    except Exception:
        raise DamagedFileError(subject, "is damaged", remedy) from None


def parse_array(content: bytes, subject: object, remedy: str) -> tuple[NDArray[Any], bytes]:
    """Read a .npy of any type but objects; nothing is allocated but what its bytes hold.

    Returns
    -------
    tuple
        The array, read-only, and the bytes after its values.

    Raises
    ------
    DamagedFileError
        The content is no .npy, is cut short, or holds Python objects.
    """
    if not content:
        raise DamagedFileError(subject, "is empty (0 bytes), not a .npy array", remedy)
    if content[:2] == b"PK":
        raise DamagedFileError(subject, "is a zip (.npz or another archive), not a .npy array", remedy)
    file = io.BytesIO(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(file)
    except Exception:  # as in unpack: the header is Python source
        raise DamagedFileError(subject, "is not a .npy array: its header is damaged", remedy) from None
    if dtype.hasobject:
        raise DamagedFileError(subject, "holds Python objects, not numbers", remedy)
    start = file.tell()
    size = math.prod(shape) * dtype.itemsize
    if any(length < 0 for length in shape) or size > len(content) - start:
        problem = f"is cut short: {len(content) - start:,} bytes for {dtype.name} values of shape {shape}"
        raise DamagedFileError(subject, problem, remedy)
    try:
        values = np.frombuffer(content, np.uint8, size, start).view(dtype)
        return values.reshape(shape, order="F" if fortran else "C"), content[start + size :]
    except (TypeError, ValueError, OverflowError):  # an empty type, or more dimensions than NumPy has
        raise DamagedFileError(subject, f"holds no array of numbers: {dtype}", remedy) from None


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write a sealed .npy whole or not at all."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_bytes(path, seal(content.getvalue()))


def read_array(path: Path, remedy: str) -> NDArray[Any]:
    """Read a .npy of :func:`write_array`, or of an earlier version, without a seal.

    Raises
    ------
    DamagedFileError
        The file is damaged.
    InputError
        It cannot be read.
    """
    content = read_bytes(path)
    array, rest = parse_array(content, path, f"it is damaged; {remedy}")
    if rest and not _sealed(content):
        raise DamagedFileError(path, "is damaged", remedy)
    return array


def append_seal(path: Path) -> None:
    """Seal a file of any size that has been written."""
    digest = _digest(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(_seal(digest))


def is_sealed(path: Path) -> bool:
    """Whether a file of any size, which is read in blocks, ends in its own seal.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    size = path.stat().st_size - SEAL_BYTES
    if size < 0:
        return False
    with path.open("rb") as file:
        file.seek(size)
        seal = file.read()
    return seal.startswith(_MARK) and seal == _seal(_digest(path, size))


def _digest(path: Path, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, _READ_BYTES))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()
