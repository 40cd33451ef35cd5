"""Text and archives that are nearly right: recipes, tables, JSON files, .npy and .npz."""

from __future__ import annotations

import hashlib
import io
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from changes import Chance, change_bytes, change_text, change_tree, pick

from scenelet.config import recipe
from scenelet.core.sealed import pack, seal_zip
from scenelet.training.checkpoint import Epoch, State


@cache
def _recipe_texts() -> tuple[str, ...]:
    folder = Path(recipe.__file__).parents[1] / "recipes"
    return tuple(path.read_text("utf-8") for path in sorted(folder.glob("*.toml")))


def _toml(value: Any) -> str:
    """A value in TOML's notation, as far as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return '""' if value is None else json.dumps(value)


def recipe_file(seed: int) -> bytes:
    """A recipe with values, keys or characters changed."""
    import tomllib

    chance = np.random.default_rng(seed)
    text = pick(chance, _recipe_texts())
    if chance.random() < 0.4:
        return change_text(chance, text)
    changed = change_tree(chance, tomllib.loads(text))
    return "\n".join(f"{json.dumps(name)} = {_toml(value)}" for name, value in changed.items()).encode(
        errors="surrogatepass"
    )


_ESC10 = "filename,fold,category,source_clip,take\n" + "".join(
    f"{fold}-{fold}{kind}-A.wav,{fold},{label},{fold}{kind},A\n"
    for fold in (1, 2, 3)
    for kind, label in enumerate(("rain", "dog_bark"))
)
_TAU = "filename\tscene_label\tidentifier\tsource_label\n" + "".join(
    f"audio/{scene}-lyon-{place}-7-0-a.wav\t{scene}\tlyon-{place}\ta\n"
    for place, scene in enumerate(("airport", "bus", "tram", "park"))
)
_TAU_FOLD = "".join("\t".join(line.split("\t")[:2]) + "\n" for line in _TAU.splitlines())


def write_tables(folder: Path, seed: int) -> None:
    """A data set of ESC-10's or TAU's layout whose tables are changed; its files hold no audio."""
    chance = np.random.default_rng(seed)
    esc = chance.random() < 0.5
    first = {"meta.csv": _ESC10 if esc else _TAU}
    lines = _TAU_FOLD.splitlines(keepends=True)
    folds = {"train": "".join(lines[:3]), "evaluate": lines[0] + "".join(lines[3:])}
    more = {} if esc else {f"evaluation_setup/fold1_{name}.csv": text for name, text in folds.items()}
    chosen = pick(chance, [*first, *more])
    for name, text in (first | more).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(change_text(chance, text) if name == chosen else text.encode())
    for line in (_ESC10 if esc else _TAU).splitlines()[1:]:
        audio = folder / ("audio/" if esc else "") / line.split("," if esc else "\t")[0]
        audio.parent.mkdir(parents=True, exist_ok=True)
        audio.touch()


def json_file(chance: Chance, tree: Any) -> bytes:
    """A JSON document with values, keys or characters changed."""
    if chance.random() < 0.3:
        return change_text(chance, json.dumps(tree, indent=2))
    return json.dumps(change_tree(chance, tree)).encode()


def _arrays(chance: Chance) -> dict[str, Any]:
    return {
        "features": chance.integers(-128, 128, (3, 4, 5)).astype(np.int8),
        "counts": np.array([1, 2], np.int64),
    }


def archive(chance: Chance, content: bytes) -> bytes:
    """A .npz or another zip with bytes changed; some sealed again, as one that was written so."""
    damaged = change_bytes(chance, content, head=64)
    if chance.random() < 0.5:  # the directory at the end
        damaged = content[:-300] + change_bytes(chance, content[-300:])
    return seal_zip(damaged) if chance.random() < 0.3 and len(damaged) > 2 else damaged


def features_archive(chance: Chance) -> bytes:
    """A shard of the feature cache, damaged, or with arrays of other types and shapes."""
    arrays = _arrays(chance)
    if chance.random() < 0.6:
        return archive(chance, pack(arrays))
    name = pick(chance, list(arrays))
    arrays[name] = odd_array(chance, arrays[name])
    return pack(arrays)


def odd_array(chance: Chance, array: Any) -> Any:
    """An array of another type or shape."""
    kinds = (np.float32, np.int64, np.uint8, np.complex64, "U5", "S3", "M8[s]", bool, ">i4", np.float16)
    kind = chance.random()
    if kind < 0.4:
        return array.astype(pick(chance, kinds))
    if kind < 0.7:
        return array.reshape(pick(chance, ((-1,), (1, -1), (-1, 1, 1, 1), (*array.shape, 1))))
    return pick(chance, (array[:0], array[:1], np.array(5), np.zeros((0, 3)), np.full(array.shape, 2**40), array * 3))


def checkpoint(chance: Chance) -> bytes:
    """A checkpoint, damaged, or with other contents under a right hash."""
    values = [chance.normal(0, 1, shape).astype(np.float32) for shape in ((3, 3, 1, 4), (4,))]
    state = State(values, values, values, 0.5, 1, [Epoch(1, 1.0, 0.5, 0.4), Epoch(2, 0.9, 0.6, 0.5)])
    content = state.to_bytes()
    if chance.random() < 0.6:
        return archive(chance, content)
    with np.load(io.BytesIO(content)) as file:
        arrays = {name: file[name] for name in file.files}
    if chance.random() < 0.5:
        told = change_tree(chance, json.loads(str(arrays["told"])))
        arrays["told"] = np.array(json.dumps(told))
    else:
        name = pick(chance, list(arrays))
        arrays[name] = odd_array(chance, arrays[name]) if name != "told" else np.array(5)
    return pack(arrays)


def array_file(chance: Chance) -> bytes:
    """A .npy of features or of a model's inputs: header, type or shape changed, cut, sealed or not."""
    array = chance.integers(-128, 128, (2, 16, 8)).astype(np.int8)
    kind = chance.random()
    content = io.BytesIO()
    np.save(content, odd_array(chance, array) if kind < 0.4 else array, allow_pickle=False)
    body = content.getvalue()
    if kind > 0.5:
        body = change_text(chance, body[:128].decode("latin-1")) + body[128:] if kind > 0.8 else body
        body = change_bytes(chance, body, head=128)
    if chance.random() < 0.3:
        body += b"scenelet sha256 " + hashlib.sha256(body).hexdigest().encode()
    return body
