"""The metadata entry inside a .tflite file."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import tflite
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scenelet.config.recipe import FrontendConfig
from scenelet.errors import ModelError
from scenelet.quantization.convert import quantize
from scenelet.tflite import metadata, object_model
from scenelet.tflite.metadata import ModelInfo

LABELS = ("park", "tram", "bus")


@pytest.fixture(scope="module")
def model(networks):
    """So small that most of it is tables."""
    loaded = networks.cnn()
    return quantize(networks.randomised(loaded), networks.features(loaded, 2), loaded, LABELS)


@pytest.fixture(scope="module")
def foreign(sm1):
    """The converter's own file, with the converter's own entries."""
    tree = object_model.unpack(sm1.read_bytes())
    tree.metadata = [entry for entry in tree.metadata if entry.name not in ("scenelet", b"scenelet")]
    return object_model.pack(tree)


INFO = ModelInfo(
    labels=("größe", 'quo"te', "back\\slash"),
    frontend=FrontendConfig(n_mels=16, lo_db=tuple(float(-60 - k / 10) for k in range(16))),
    recipe="other",
    recipe_sha256="00ff",
)


def test_a_foreign_model_has_none(foreign):
    assert metadata.read(foreign) is None


def test_what_is_attached_is_read_back(foreign):
    assert metadata.read(metadata.attach(foreign, INFO)) == INFO


def test_silence_is_written_where_a_model_knows_it(foreign):
    assert b"silence" not in INFO.to_json()
    quiet = INFO.model_copy(update={"silence": -64})
    assert b'"silence":-64' in quiet.to_json()
    assert metadata.read(metadata.attach(foreign, quiet)) == quiet
    for impossible in (-128, 128):
        broken = quiet.to_json().replace(b"-64", b"%d" % impossible)
        with pytest.raises(ValidationError):
            metadata.ModelInfo.model_validate_json(broken)


def test_limits_are_written_where_they_are_not_the_challenges(foreign):
    free = INFO.model_copy(update={"limits": "board"})
    assert b"limits" not in INFO.to_json()
    assert metadata.read(metadata.attach(foreign, free)) == free


def test_an_option_comes_before_the_metadata_and_they_before_the_default():
    free = INFO.model_copy(update={"limits": "none"})
    assert str(metadata.limits_of(free, "dcase")) == "limits dcase, set by --limits"
    assert str(metadata.limits_of(free)) == "limits none, set by its recipe other"
    assert metadata.limits_of(INFO).rule == "dcase"
    assert metadata.limits_of(None).rule == "board"


def test_attaching_again_replaces_and_adds_nothing(foreign):
    once = metadata.attach(foreign, INFO)
    assert metadata.attach(once, INFO) == once
    renamed = INFO.model_copy(update={"recipe": "third"})
    again = metadata.attach(once, renamed)
    assert metadata.read(again) == renamed
    assert len(object_model.unpack(again).buffers) == len(object_model.unpack(once).buffers)


def test_the_network_and_other_entries_stay(foreign):
    before, after = object_model.unpack(foreign), object_model.unpack(metadata.attach(foreign, INFO))
    assert [entry.name for entry in after.metadata] == [*(entry.name for entry in before.metadata), b"scenelet"]
    for old, new in zip(before.buffers, after.buffers, strict=False):
        assert (old.data is None) == (new.data is None)
        assert old.data is None or (old.data == new.data).all()


def test_buffers_are_aligned_for_kernels_that_read_in_place(foreign):
    content = metadata.attach(foreign, INFO)
    root = tflite.Model.GetRootAs(content, 0)
    starts = []
    for index in range(root.BuffersLength()):
        data = root.Buffers(index).DataAsNumpy()
        if isinstance(data, np.ndarray) and data.size:
            starts.append(data.__array_interface__["data"][0] - np.frombuffer(content, np.uint8).ctypes.data)
    assert starts
    assert [start % 16 for start in starts] == [0] * len(starts)


@pytest.mark.parametrize("label", ["", "a" * 65, "line\nbreak", "nul\0"])
def test_labels_that_c_or_the_protocol_cannot_hold_are_refused(label):
    with pytest.raises(ValidationError):
        ModelInfo(labels=(label,), frontend=FrontendConfig(), recipe="x")


def test_an_entry_that_is_not_ours_is_named(foreign):
    tree = object_model.unpack(metadata.attach(foreign, INFO))
    tree.buffers[tree.metadata[-1].buffer].data = b'{"labels": ["a"], "recipe": 7}'
    with pytest.raises(ModelError, match=r"x\.tflite: metadata '\w+'"):
        metadata.read(object_model.pack(tree), "x.tflite")


@pytest.mark.parametrize("content", [b"", b"TFL3", b"RIFF1234WAVE", b"\0" * 64])
def test_what_is_no_tflite_file_is_refused(content):
    with pytest.raises(ModelError, match=r"bad\.bin: is not a \.tflite file"):
        metadata.read(content, "bad.bin")
    with pytest.raises(ModelError):
        metadata.attach(content, INFO)


@pytest.mark.train
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_escapes_as_another_exception(model, data):
    content = bytearray(model)
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        # The tables, not the weights, are where damage can lead astray.
        for _ in range(data.draw(st.integers(1, 4))):
            position = data.draw(st.integers(0, len(content) - 1))
            content[position] ^= 1 << data.draw(st.integers(0, 7))
    for attempt in (lambda: metadata.read(bytes(content)), lambda: metadata.attach(bytes(content), INFO)):
        with contextlib.suppress(ModelError):
            attempt()
