"""Models that are nearly right: besides fields and bytes, the file's own offsets and lengths, and its metadata."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from changes import WORDS, Chance, change_text, change_tree, pick
from mutants import changed
from networks import KINDS, random_network

from scenelet.config import recipe
from scenelet.core import toolchain
from scenelet.tflite import metadata, object_model

_NETWORKS = 1000


@cache
def _shipped() -> bytes:
    return (toolchain.FIRMWARE / "models" / "esc10_sm1.tflite").read_bytes()


@cache
def _network(number: int) -> bytes:
    return random_network(number, 1 + number % 3, KINDS[number % len(KINDS)])


@cache
def _info() -> metadata.ModelInfo:
    labels = tuple(f"class {number}" for number in range(4))
    return metadata.ModelInfo(labels=labels, frontend=recipe.load("sm1").frontend, recipe="sm1")


def model_file(seed: int) -> bytes:
    """A damaged or odd .tflite; a function of the seed."""
    chance = np.random.default_rng(seed)
    kind = chance.random()
    whole = _network(int(chance.integers(_NETWORKS)))
    if kind < 0.7:
        return changed(chance, whole)
    if kind < 0.85:
        return _words_changed(chance, whole)
    return _metadata_changed(chance, whole)


def _words_changed(chance: Chance, whole: bytes) -> bytes:
    """Offsets and lengths changed: small words that stand on multiples of four, as flatbuffers place them."""
    words = np.frombuffer(whole[: len(whole) // 4 * 4], "<u4").copy()
    small = np.flatnonzero(words < len(whole))
    for place in chance.choice(small, int(chance.integers(1, 4))):
        value = int(words[place])
        near = (value + 1, value - 1, value + 4, value - 4, 2 * value, len(whole), len(whole) - 4 * int(place))
        words[place] = int(pick(chance, (*near, *WORDS))) % 2**32
    return words.tobytes() + whole[words.nbytes :]


def _metadata_changed(chance: Chance, whole: bytes) -> bytes:
    """Metadata that is no JSON, or says other things; an entry whose buffer is missing or stands twice."""
    model = whole if chance.random() < 0.9 else _shipped()
    tree = object_model.unpack(metadata.attach(model, _info()))
    entry = next(one for one in tree.metadata if one.name in (metadata.ENTRY, metadata.ENTRY.encode()))
    told = json.loads(_info().to_json())
    kind = chance.random()
    if kind < 0.25:
        tree.buffers[entry.buffer].data = np.frombuffer(change_text(chance, json.dumps(told)), np.uint8)
    elif kind < 0.85:
        content = json.dumps(change_tree(chance, told)).encode(errors="surrogatepass")
        tree.buffers[entry.buffer].data = np.frombuffer(content, np.uint8)
    elif kind < 0.95:
        entry.buffer = int(pick(chance, (0, len(tree.buffers), 2**32 - 1, 1)))
    else:
        again = schema.MetadataT()
        again.name, again.buffer = metadata.ENTRY, 0
        tree.metadata.insert(0, again)
    return object_model.pack(tree)
