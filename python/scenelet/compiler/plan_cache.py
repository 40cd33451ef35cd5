"""Plans that were made before: planning takes seconds, so a second command with the same model does not repeat it.

An entry's name is a hash of all that decides a plan: the model's bytes and name, the options, this package's own code,
and the versions of Python and NumPy. Entries are pickles, which only this user's own commands wrote, as they wrote the
libraries beside them; each carries a hash of its content. The folder may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..core import toolchain
from ..core.files import is_there, read_bytes, write_bytes
from ..core.notes import note, tell
from ..core.sealed import seal, unseal
from ..errors import DamagedFileError, InputError

KEEPS = True
"""Whether plans are kept. Tests turn it off: what they change in the compiler must not reach a later command."""
_MOST = 64
_CODE = (".py", ".json")

T = TypeVar("T")


@cache
def _code() -> str:
    """Hash of this package's code and data."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256(f"{platform.python_version()} {np.__version__}".encode())
    for path in sorted(path for path in package.rglob("*") if path.suffix in _CODE and "tree" not in path.parts):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def kept(content: bytes, settings: str, kind: type[T], make: Callable[[], T]) -> T:
    """Look a plan up, or make it and keep it.

    Parameters
    ----------
    content
        Of the .tflite.
    settings
        Whatever else decides the plan, as text.
    kind
        Type of the plan.
    make
        Makes it.

    Returns
    -------
    T
        Equal to what ``make`` returns. Nothing is kept where the folder cannot be written.
    """
    if not KEEPS:
        return make()
    folder = toolchain.build_folder() / "plans"
    digest = hashlib.sha256(f"{_code()}\0{settings}\0".encode(errors="surrogateescape") + content).hexdigest()
    path = folder / f"{digest}.plan"
    found = _read(path, kind)
    if found is None:
        tell("plan how the network runs")
        found = make()
        with contextlib.suppress(InputError):  # a full disk, or another's folder: the plan is there all the same
            write_bytes(path, seal(pickle.dumps(found)))
            _drop_oldest(folder)
    return found


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        if not is_there(path):
            return None
        found = pickle.loads(unseal(read_bytes(path), path, "it is made again"))
        path.touch()
    except DamagedFileError as error:
        note(error.subject, f"{error.problem}; {error.remedy}")
        return None
    except (InputError, OSError):  # another's
        return None
    return found if isinstance(found, kind) else None


def _drop_oldest(folder: Path) -> None:
    with contextlib.suppress(OSError):  # another process drops the same
        for path in sorted(folder.glob("*.plan"), key=lambda one: -one.stat().st_mtime_ns)[_MOST:]:
            path.unlink(missing_ok=True)
