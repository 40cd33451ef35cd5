"""Parts of the training clips: the published splits of 5 to 100 %, and single recording devices."""

import itertools
from pathlib import Path

import pytest

from scenelet.config.recipe import FrontendConfig
from scenelet.data.datasets.registry import Dataset, open_dataset
from scenelet.data.datasets.tau import SCENES
from scenelet.data.provenance import describe, training_splits
from scenelet.data.splits import with_validation
from scenelet.data.synthetic.city import City
from scenelet.errors import DatasetError
from scenelet.tflite.metadata import ModelInfo


def info(dataset: Dataset, trained: Dataset) -> ModelInfo:
    learned = describe(trained, 0.5, 1)
    return ModelInfo(labels=SCENES, frontend=FrontendConfig(), recipe="r", dataset=dataset.name, learned=learned)


def write_part(root: Path, folder: str, percent: int, locations: int) -> list[str]:
    """A table with the first locations of every scene."""
    lines = (root / "evaluation_setup/fold1_train.csv").read_text("utf-8").splitlines()
    names = [line.split("\t")[0] for line in lines[1:]]
    chosen = [name for name in names if int(name.split("-")[2]) % 10 < locations]
    (root / folder).mkdir(exist_ok=True)
    (root / folder / f"split{percent}.csv").write_text("\n".join(["filename", *chosen]) + "\n", "utf-8")
    return chosen


@pytest.mark.parametrize("folder", ["split_setup", "evaluation_setup", "."])
def test_a_published_part_replaces_the_training_split(tau: Path, folder: str) -> None:
    chosen = write_part(tau, folder, 25, 2)
    whole, part = open_dataset(tau), open_dataset(tau, percent=25)
    trained = [clip.path.relative_to(tau).as_posix() for name in ("train", "validation") for clip in part.split(name)]
    assert sorted(trained) == sorted(chosen)
    assert len(chosen) == 40
    assert part.split("split25") == whole.split("split25")
    assert part.split("test") == whole.split("test")
    assert (part.percent, whole.percent) == (25, None)
    assert part.published(100) == whole.published(100)
    assert len(part.published(100)) == 80


def test_the_whole_needs_no_table(tau: Path) -> None:
    assert open_dataset(tau, percent=100).split("train") == open_dataset(tau).split("train")


def test_a_part_that_is_not_there_is_named_with_its_source(tau: Path, esc10: Path) -> None:
    wanted = r"has no training split of 10 %; copy split10\.csv of github\.com/CPJKU/.* into .*/tau/split_setup"
    with pytest.raises(DatasetError, match=wanted):
        open_dataset(tau, percent=10)
    with pytest.raises(DatasetError, match="has no training split of 25 %; leave --split-percent out"):
        open_dataset(esc10, percent=25)


def test_a_part_with_test_clips_is_refused(tau: Path) -> None:
    lines = (tau / "evaluation_setup/fold1_test.csv").read_text("utf-8")
    (tau / "split5.csv").write_text(lines, "utf-8")
    with pytest.raises(DatasetError, match=r"split5\.csv:2: 'audio/.*' is not in fold1_train\.csv"):
        open_dataset(tau)


def test_the_citys_parts_lie_in_each_other_and_hold_whole_recordings(small_city: City) -> None:
    dataset = open_dataset(small_city.folder)
    parts = [{clip.recording for clip in dataset.split(f"split{percent}")} for percent in (5, 10, 25, 50, 100)]
    assert all(one <= other for one, other in itertools.pairwise(parts))
    assert [*dataset.published(100)] == dataset.split("split100")
    for percent in (5, 100):
        part = dataset.split(f"split{percent}")
        assert {clip.label for clip in part} == set(SCENES)
        assert part == [clip for clip in dataset.split("split100") if clip.recording in {one.recording for one in part}]


def test_devices_restrict_every_split_but_not_its_groups(tau: Path) -> None:
    whole, only = (with_validation(open_dataset(tau, devices=devices), 0.5, 1) for devices in ((), ("b",)))
    for name in ("train", "validation"):
        assert only.split(name) == [clip for clip in whole.split(name) if clip.device == "b"] != []
    assert only.split("test") == []
    assert only.sha256 != whole.sha256


def test_an_unknown_device_is_refused(tau: Path, esc10: Path) -> None:
    with pytest.raises(DatasetError, match="holds no clip of device 's9'; use one of: a, b, s4"):
        open_dataset(tau, devices=["a", "s9"])
    with pytest.raises(DatasetError, match="does not say which device made a clip; give no device"):
        open_dataset(esc10, devices=["a"])


def test_a_model_finds_its_part_again_however_the_data_set_is_opened(tau: Path) -> None:
    write_part(tau, ".", 25, 2)
    whole = open_dataset(tau)
    for percent, devices in ((25, ()), (25, ("b",)), (None, ("a", "b")), (None, ())):
        trained = open_dataset(tau, percent=percent, devices=devices)
        mine = info(whole, trained)
        assert mine.learned
        assert (mine.learned.percent, mine.learned.devices) == (percent, devices)
        expected = frozenset(with_validation(trained, 0.5, 1).split("train"))
        for other in (whole, open_dataset(tau, percent=25), open_dataset(tau, devices=["s4"])):
            found = training_splits(other, mine)
            assert found.train_clips == expected
            assert found.overlap("test") == 0
        assert ModelInfo.model_validate_json(mine.to_json()) == mine
        assert (b"percent" in mine.to_json(), b"devices" in mine.to_json()) == (percent is not None, devices != ())
