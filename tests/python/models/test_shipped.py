"""The models that come with the firmware are what their cards and recipes say."""

from __future__ import annotations

import hashlib

import pytest

from scenelet.config import recipe
from scenelet.core.toolchain import FIRMWARE
from scenelet.graph import cost, limits
from scenelet.models.architecture import graph_of
from scenelet.tflite import metadata
from scenelet.tflite.reader import read_model

FOLDER = FIRMWARE / "models"
MODELS = sorted(path for path in FOLDER.glob("*.tflite") if not path.is_symlink())


def test_there_is_a_default():
    assert (FOLDER / "default.tflite").resolve() in MODELS


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_model_is_its_recipes_network(path):
    info = metadata.read(path.read_bytes(), path)
    assert info is not None
    own = path.with_suffix(".toml")  # else by a shipped recipe
    described = recipe.load(own if own.is_file() else info.recipe)
    assert (info.recipe, info.recipe_sha256, info.frontend) == (described.name, described.sha256, described.frontend)
    assert path.stem == f"{info.dataset}_{info.recipe}"
    graph = read_model(path)
    assert cost.count(graph) == cost.count(graph_of(described))
    assert not limits.violations(cost.count(graph))
    assert graph.tensors[graph.outputs[0]].shape[-1] == len(info.labels)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_card_is_this_files(path):
    card = path.with_suffix(".md").read_text("utf-8")
    info = metadata.read(path.read_bytes(), path)
    assert info is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert f"{path.stat().st_size:,} bytes" in card
    assert ", ".join(info.labels) in card
    assert "CC BY 3.0" in card
