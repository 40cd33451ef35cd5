"""A .keras file whose own description shows that it is not counted is refused without Keras's import."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from typing import Any

import pytest

FIRST = {"filters": 4, "kernel_size": [3, 3], "data_format": "channels_first", "activation": "relu"}
INPUT = {"module": "keras.layers", "class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 8, 8, 1]}}


def layer(kind: str, module: str | None = "keras.layers", **options: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": {"name": "a"} | options}


def network(*layers: dict[str, Any], kind: str = "Sequential", **more: Any) -> bytes:
    return json.dumps({"class_name": kind, "config": {"name": "net", "layers": list(layers), **more}}).encode()


REFUSED = {
    "options": (network(INPUT, layer("Conv2D", **FIRST)), "layer a: has data_format='channels_first'"),
    "kind": (network(INPUT, layer("LSTM", units=4)), "layer a: LSTM is not supported"),
    "code": (network(INPUT, layer("Lambda", function={})), "layer a: Lambda is not supported"),
    "own": (network(INPUT, layer("Mine", module=None)), "layer a: Mine is a class of one's own"),
    "activation": (network(INPUT, layer("Dense", units=3, activation="gelu")), "layer a: activation gelu"),
    "open": (network(INPUT | {"config": {"name": "in", "batch_shape": [None, None, 8]}}), "in: takes (None, None"),
    "batch": (network(INPUT | {"config": {"name": "in", "batch_shape": [4, 8, 8]}}), "layer in: takes a batch of 4"),
    "inputs": (network(INPUT, input_layers=[["in", 0, 0], ["b", 0, 0]]), "has 2 inputs"),
    "outputs": (network(INPUT, output_layers={"x": ["in", 0, 0], "y": ["b", 0, 0]}), "has 2 outputs"),
    "model": (network(INPUT, kind="Mine"), "holds a Mine of one's own"),
    "no layers": (b'{"class_name": "Sequential", "config": {}}', "key 'layers'"),
    "no config": (b'{"class_name": "Sequential"}', "is not a Keras model"),
    "odd layer": (network({"module": 3}), "is not a Keras model"),
    "no object": (b"[]", "not a JSON object"),
    "no JSON": (b"\xff\xfe", "not JSON"),
    "deep": (b"[" * 9000 + b"]" * 9000, "nested too deeply"),
}  # fmt: skip
FILES = {
    "empty": (b"", "not a zip archive"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "is an HDF5 file"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(64), "not a zip archive"),
    "cut": (b"PK\x03\x04" + bytes(64), "not a zip archive"),
}

_LOOK = """
import sys
from pathlib import Path
from scenelet.benchmark.budget import budget_of
from scenelet.errors import ModelError
for path in map(Path, sys.argv[1:]):
    try:
        budget_of(str(path))
        print(path.stem, "counted")
    except ModelError as error:
        print(path.stem, str(error).encode("unicode_escape").decode())
print("imported", {"keras", "tensorflow"} & set(sys.modules))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one process says of every file."""
    folder = tmp_path_factory.mktemp("archives")
    for name, (config, _) in REFUSED.items():
        with zipfile.ZipFile(folder / f"{name.replace(' ', '_')}.keras", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", config)
    with zipfile.ZipFile(folder / "other.keras", "w") as archive:
        archive.writestr("other.json", "{}")
    whole = (folder / "options.keras").read_bytes()
    (folder / "flipped.keras").write_bytes(whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
    for name, (content, _) in FILES.items():
        (folder / f"{name}.keras").write_bytes(content)
    command = [sys.executable, "-c", _LOOK, *sorted(map(str, folder.glob("*.keras")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", [*REFUSED, *FILES, "other", "flipped"])
def test_what_is_not_counted_is_refused_in_one_line(told: dict[str, str], name: str) -> None:
    more = {"other": ("", "an archive without config.json"), "flipped": ("", "is not a Keras model: ")}
    line = told[name.replace(" ", "_")]
    assert (REFUSED | FILES | more)[name][1] in line
    assert "; " in line
    assert "\\n" not in line


def test_nothing_of_it_needs_keras(told: dict[str, str]) -> None:
    assert told["imported"] == "set()"
