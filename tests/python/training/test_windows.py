"""Windows and draws of them."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DatasetError
from scenelet.training import windows
from scenelet.training.windows import Windows, stratified


@pytest.fixture
def some():
    features = np.random.default_rng(0).integers(-128, 128, (5, 3, 2), np.int8)
    return Windows(features, np.array([0, 1, 1, 0, 2]), np.array([0, 1, 1, 2, 3]))


def test_batches_are_features_over_64(some):
    batch = some.batch(np.array([4, 0]))
    assert batch.shape == (2, 3, 2, 1)
    assert batch.dtype == np.float32
    assert (batch[..., 0] * 64 == some.features[[4, 0]]).all()


@pytest.mark.parametrize("name", ["features", "classes", "clips"])
def test_the_hash_sees_every_value(some, name):
    changed = getattr(some, name).copy()
    changed.reshape(-1)[-1] ^= 1
    assert replace(some, **{name: changed}).sha256 != some.sha256
    assert replace(some, **{name: getattr(some, name).copy()}).sha256 == some.sha256


def test_load_gives_every_window_its_clips_class(recordings, tiny_recipe, tmp_path):
    dataset = open_dataset(recordings)
    loaded = windows.load(dataset, "train", tiny_recipe().frontend, tmp_path)
    clips = dataset.split("train")
    assert loaded.features.shape == (3 * len(clips), 16, 8)
    assert [dataset.labels[k] for k in loaded.classes] == [clips[k].label for k in loaded.clips]


def test_silence_is_seen_when_windows_are_loaded(recordings, tiny_recipe, tmp_path):
    dataset = open_dataset(recordings)
    frontend = tiny_recipe().frontend
    peaks = windows.load(dataset, "train", frontend, tmp_path).features.max(axis=(1, 2))
    level = int(np.median(peaks)) + 1
    loaded = windows.load(dataset, "train", frontend, tmp_path, silence=level)
    assert loaded.silent.tolist() == (peaks < level).tolist()
    assert loaded.active.tolist() == np.flatnonzero(peaks >= level).tolist()
    assert loaded.sha256 == windows.load(dataset, "train", frontend, tmp_path).sha256
    with pytest.raises(DatasetError, match=r"'train': holds nothing but silence; lower the key 'silence\.level_db"):
        windows.load(dataset, "train", frontend, tmp_path, silence=int(peaks.max()) + 1)


def test_some_windows_keep_their_place_and_silence(some):
    quiet = replace(some, silent=np.array([True, False, True, False, False]))
    assert some.active.tolist() == [0, 1, 2, 3, 4]
    part = quiet.some(np.array([0, 3]))
    assert (part.features == some.features[[0, 3]]).all()
    assert (part.classes.tolist(), part.clips.tolist(), part.silent.tolist()) == ([0, 0], [0, 2], [True, False])
    assert quiet.some(slice(1, 3)).active.tolist() == [0]


def test_an_empty_split_is_named(recordings, tiny_recipe, tmp_path):
    dataset = open_dataset(recordings)
    dataset = replace(dataset, splits={**dataset.splits, "test": ()})
    with pytest.raises(DatasetError, match="split 'test': holds no clip"):
        windows.load(dataset, "test", tiny_recipe().frontend, tmp_path)


def test_stratified_takes_as_many_of_every_class():
    labels = np.repeat([0, 1, 2], [100, 50, 4])
    chosen = stratified(labels, 40, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [18, 18, 4]
    assert len(set(chosen.tolist())) == 40
    assert (np.diff(chosen) > 0).all()


def test_stratified_follows_its_seed_and_takes_all_of_few():
    labels = np.arange(60) % 3
    assert (stratified(labels, 12, seed=1) == stratified(labels, 12, seed=1)).all()
    assert (stratified(labels, 12, seed=1) != stratified(labels, 12, seed=2)).any()
    assert (stratified(labels, 400, seed=0) == np.arange(60)).all()


def test_another_process_opens_the_file_of_features(some, tmp_path):
    np.save(tmp_path / "features.npy", some.features)
    lying = replace(some, features=np.load(tmp_path / "features.npy", mmap_mode="r"))
    sent = pickle.dumps(lying)
    again = pickle.loads(sent)
    assert isinstance(again.features, np.memmap)
    assert again.sha256 == some.sha256 == pickle.loads(pickle.dumps(some)).sha256
    part = pickle.loads(pickle.dumps(replace(lying, features=lying.features[1:3])))
    assert np.array_equal(part.features, some.features[1:3])  # a part of a file goes by value
    np.save(tmp_path / "features.npy", some.features[:1])
    assert len(pickle.loads(sent).features) == 1
