"""What a command has left in its folders: contents by file, comparable between runs, and whether each file is whole."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from scenelet.core.sealed import is_sealed, parse_array, require_whole_zip, unpack, unseal
from scenelet.tflite.reader import read_model

# Values that tell of the run and not of its result.
_CHANGING = {"cpu_seconds", "seconds", "stage_seconds", "shared_object_id"}
_LIBRARIES = "native"
_BUILT = (".o", ".d", ".a", ".elf", ".map", ".dblite", ".checksum")
"""Of builders: some hold times, which tell them what to make again; the firmware is looked at as flashed."""
_PLAIN_TEXT = (".c", ".h", ".html", ".md", ".toml")


def files_of(folder: Path) -> list[Path]:
    """All files below a folder, without compiled libraries and builders' own files."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and _LIBRARIES not in path.parts and path.suffix not in _BUILT
    )


def leftovers(folder: Path) -> list[str]:
    """Temporary files and folders below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*") if path.name.endswith(".part"))


def outcome(folder: Path) -> dict[str, str]:
    """Hash of every file's content by its path, without times."""
    return {str(path.relative_to(folder)): _digest(path) for path in files_of(folder)}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    if path.suffix == ".keras":
        _update_with_weights(digest, path)
    elif path.suffix == ".json":
        digest.update(_steady_json(_without_seal(path)))
    else:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _without_seal(path: Path) -> bytes:
    """A file's content without the seal that kept plans have."""
    content = path.read_bytes()
    return unseal(content, path, "") if is_sealed(path) else content


def _update_with_weights(digest: Any, path: Path) -> None:
    """Weights and structure; the archive itself holds the time of writing."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        digest.update(_steady_json(archive.read("config.json")))
        weights = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(
            lambda name, held: digest.update(name.encode() + (held[()].tobytes() if hasattr(held, "shape") else b""))
        )


def _steady_json(content: bytes) -> bytes:
    return json.dumps(_steady(json.loads(content)), sort_keys=True).encode()


def _steady(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _steady(value) for name, value in content.items() if name not in _CHANGING}
    return [_steady(value) for value in content] if isinstance(content, list) else content


def half_written(folder: Path, whole: Path) -> list[str]:
    """Files that are neither whole by their own format nor what they are in the finished folder ``whole``."""
    found = []
    for path in files_of(folder):
        name = path.relative_to(folder)
        if path.name.endswith(".part") or any(part.endswith(".part") for part in name.parts):
            continue
        there = whole / name
        if not (there.is_file() and there.read_bytes() == path.read_bytes()) and not _is_whole(path):
            found.append(str(name))
    return found


def _is_whole(path: Path) -> bool:
    try:
        if path.suffix == ".json":
            json.loads(_without_seal(path))
        elif path.suffix == ".npz":
            unpack(path.read_bytes(), path, "", seal=True)
        elif path.suffix == ".keras":
            return require_whole_zip(path.read_bytes(), path, "")
        elif path.suffix == ".npy":
            return is_sealed(path) or _ends_with_its_values(path)
        elif path.suffix == ".tflite":
            read_model(path)
        elif path.suffix == ".bin":
            return True  # of a builder, which makes it anew
        elif path.suffix == ".png":
            return path.read_bytes().endswith(b"IEND\xaeB`\x82")
        else:
            return path.suffix in (*_PLAIN_TEXT, ".csv", ".jsonl") and path.read_bytes().endswith(b"\n")
    except Exception:
        return False
    return True


def _ends_with_its_values(path: Path) -> bool:
    """Whether a .npy without a seal has as many bytes as its header states."""
    values, rest = parse_array(path.read_bytes(), path, "")
    return bool(values.size) and not rest
