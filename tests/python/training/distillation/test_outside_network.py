"""A teacher from outside by its network: what it hears, its head, and that nobody judges what it learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from scenelet.errors import InputError
from scenelet.models import yamnet_patches as yamnet
from scenelet.models.yamnet import load_yamnet256
from scenelet.training.distillation import outside_network as outside
from scenelet.training.distillation.outside_teacher import read_outside_teacher
from scenelet.training.train import prepare

pytestmark = pytest.mark.train


def weights() -> dict[str, np.ndarray]:
    """Random weights under Keras 2's names."""
    chance, found = np.random.default_rng(0), {}

    def normalisation(place: str, channels: int) -> None:
        for name, values in (
            ("beta", chance.normal(size=channels)),
            ("moving_mean", chance.normal(size=channels) / 9),
            ("moving_variance", chance.uniform(0.5, 2, channels)),
        ):
            found[f"{place}/bn/{name}"] = values

    found["layer1/conv/kernel"] = chance.normal(size=(3, 3, 1, 32)) / 9
    normalisation("layer1/conv", 32)
    channels = 32
    for number, units in enumerate((64, 128, 128, 256, 256), 2):
        found[f"layer{number}/depthwise_conv/depthwise_kernel"] = chance.normal(size=(3, 3, channels, 1)) / 3
        normalisation(f"layer{number}/depthwise_conv", channels)
        found[f"layer{number}/pointwise_conv/kernel"] = chance.normal(size=(1, 1, channels, units)) / channels
        normalisation(f"layer{number}/pointwise_conv", units)
        channels = units
    return found


def written(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[f"model_weights/model_2/{name}:0"] = values.astype(np.float32)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: Any) -> Path:
    return written(tmp_path_factory.mktemp("yamnet") / "yamnet.h5", weights())


def test_a_tone_is_in_the_band_of_its_frequency() -> None:
    time = np.arange(2 * yamnet.RATE) / yamnet.RATE
    found = yamnet.patches(np.sin(2 * np.pi * 1000 * time))
    assert found.shape == (3, 96, 64)
    edges = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)
    centres = 700 * np.expm1(edges[1:-1] / 1127)
    assert set(found.mean(axis=1).argmax(axis=1)) == {int(np.abs(centres - 1000).argmin())}
    assert np.allclose(yamnet.patches(np.zeros(100)), np.log(0.001)), "silence is the offset, however short"
    ones = yamnet.mel_weights()
    assert ones.shape == (257, 64)
    assert (ones.max(axis=0) <= 1).all()
    assert not ones[0].any()


def test_the_weights_of_a_file_are_those_of_the_network(file: Path) -> None:
    model, arrays = load_yamnet256(file), weights()
    assert model.output_shape == (None, 256)
    assert model.count_params() == sum(one.size for one in arrays.values())
    kernel = model.get_layer("layer4_pointwise_conv").get_weights()[0]
    assert np.array_equal(kernel, arrays["layer4/pointwise_conv/kernel"].astype(np.float32))
    beta, mean, variance = model.get_layer("layer2_depthwise_conv_bn").get_weights()
    for name, values in (("beta", beta), ("moving_mean", mean), ("moving_variance", variance)):
        assert np.array_equal(values, arrays[f"layer2/depthwise_conv/bn/{name}"].astype(np.float32))


def test_other_files_are_refused(tmp_path: Path) -> None:
    lacking = weights()
    del lacking["layer3/pointwise_conv/kernel"]
    with pytest.raises(InputError, match=r"lacks the weights layer3/pointwise_conv/kernel \(1, 1, 64, 128\)"):
        load_yamnet256(written(tmp_path / "lacking.h5", lacking))
    other = weights() | {"layer1/conv/kernel": np.zeros((5, 5, 1, 32))}
    with pytest.raises(InputError, match=r"has \(5, 5, 1, 32\) as the weights layer1/conv/kernel"):
        load_yamnet256(written(tmp_path / "other.h5", other))
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(InputError, match="is no HDF5 file"):
        load_yamnet256(tmp_path / "text.h5")
    with pytest.raises(InputError, match="is no network"):
        outside.open_network(tmp_path / "net.pt")
    (tmp_path / "net.keras").write_bytes(b"")
    with pytest.raises(InputError, match="has no name for the metadata"):
        outside.open_network(tmp_path / "net.keras")
    with pytest.raises(InputError, match="says nothing of its front end"):
        outside.open_network(tmp_path / "net.keras", "a network (its data)")
    with pytest.raises(InputError, match=r"does not go with an \.h5 file"):
        outside.open_network(tmp_path / "text.h5", None, "sm1")


def test_no_row_is_judged_by_a_head_that_saw_its_group() -> None:
    """Labels by chance: a head that had seen a row's group would know them, and those of the others cannot."""
    chance = np.random.default_rng(0)
    groups, classes = np.repeat(np.arange(4), 30), np.tile(np.arange(3), 40)
    rows = np.hstack([np.eye(4)[groups], np.eye(120)])
    logits = outside.cross_fitted(rows, classes, groups, 3)
    changed = classes.copy()
    changed[groups == 2] = chance.permutation(classes[groups == 2])
    assert np.array_equal(outside.cross_fitted(rows, changed, groups, 3)[groups == 2], logits[groups == 2])
    assert not np.array_equal(outside.cross_fitted(rows, changed, groups, 3)[groups == 1], logits[groups == 1])
    with pytest.raises(InputError, match="without one of the classes"):
        outside.cross_fitted(rows, groups % 3, groups, 3)


def test_no_recording_is_in_two_groups(dataset: Any) -> None:
    groups = outside.groups_of(dataset.clips)
    for recording in {clip.recording for clip in dataset.clips}:
        assert (
            len({group for clip, group in zip(dataset.clips, groups, strict=True) if clip.recording == recording}) == 1
        )
    folded = [replace(clip, fold=1 + number % 2) for number, clip in enumerate(dataset.clips)]
    assert outside.groups_of(folded).tolist() == [clip.fold for clip in folded]


def test_its_file_names_the_training_clips_and_swears_off_the_test(
    dataset: Any, tiny_recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that hears which class it is, with noise, so that its head can learn it."""
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path))
    chance = np.random.default_rng(1)

    def listen(clip: Any) -> np.ndarray:
        return np.eye(3)[[dataset.labels.index(clip.label)] * 2] + chance.normal(size=(2, 3)) / 20

    (tmp_path / "net").write_bytes(b"network")
    network = outside.OutsideNetwork(tmp_path / "net", "Ears (everything)", listen, "ears")
    recipe = tiny_recipe()
    path = outside.logits_file(network, recipe, dataset)
    assert outside.logits_file(network, recipe, dataset) == path, "what it heard is kept"
    teacher = read_outside_teacher(path, dataset)
    assert teacher.name == "Ears (everything)"
    teacher.require_deaf_to(dataset.split("test"))
    _, split = prepare(recipe, dataset)
    learned = split.split("train")
    assert teacher.of(learned).argmax(axis=1).tolist() == dataset.targets(learned).tolist()
    assert not set(split.split("validation")) & set(teacher.rows), "the head did not see what stops the student"
    with pytest.raises(InputError, match="trained on"):
        teacher.require_deaf_to(learned)


def test_the_network_hears_clips_by_yamnets_front_end(file: Path, dataset: Any) -> None:
    network = outside.open_network(file)
    assert network.name == "YAMNet, first layers (AudioSet)"
    found = network.listen(dataset.clips[0])
    assert found.shape == (5, 256)  # three seconds, a patch every 0.48 s
    assert np.isfinite(found).all()
