"""Bad input as a newcomer gives it: one line that names what to change, exit status 2, nothing half written."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from commands import Done

from scenelet.core import toolchain
from scenelet.errors import InputError

MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
Run = Callable[..., Done]


def write_wav(path: Path, samples: Any, subtype: str = "PCM_16", rate: int = 8000) -> Path:
    soundfile.write(path, np.asarray(samples), rate, subtype=subtype)
    return path


def missing(folder: Path) -> Path:
    return folder / "nowhere.wav"


def truncated(folder: Path) -> Path:
    path = write_wav(folder / "cut.wav", np.zeros(8000))
    path.write_bytes(path.read_bytes()[:-4000])
    return path


def empty(folder: Path) -> Path:
    return write_wav(folder / "empty.wav", np.zeros(0))


def not_a_number(folder: Path) -> Path:
    samples = np.zeros(8000)
    samples[123] = np.nan
    return write_wav(folder / "nan.wav", samples, "FLOAT")


def eight_bit(folder: Path) -> Path:
    return write_wav(folder / "eight.wav", np.zeros(8000), "PCM_U8")


def no_audio(folder: Path) -> Path:
    path = folder / "text.wav"
    path.write_text("this is no audio")
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (missing, "no such file"),
        (truncated, "truncated"),
        (empty, "no samples"),
        (not_a_number, "NaN"),
        (eight_bit, "8"),
        (no_audio, "text.wav"),
    ],
)
def test_a_bad_audio_file_is_named(scenelet: Run, tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    path = make(tmp_path)
    done = scenelet("run", MODEL, path)
    assert done.status == 2
    assert str(path) in done.complaint
    assert said in done.complaint
    assert not done.out


def esc10(folder: Path, header: str, row: str) -> Path:
    (folder / "audio").mkdir(parents=True)
    write_wav(folder / "audio" / "1-100-A.wav", np.zeros(8000))
    (folder / "meta.csv").write_text(f"{header}\n{row}\n")
    return folder


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("filename,fold,source_clip,take", "1-100-A.wav,1,100,A", "column 'category'"),
        ("filename,fold,category,source_clip,take", "1-100-A.wav,1,spaceship,100,A", "spaceship"),
        ("filename,fold,category,source_clip,take", "1-999-A.wav,1,rain,999,A", "1-999-A.wav"),
    ],
)
def test_a_bad_csv_is_named_with_its_line(scenelet: Run, tmp_path: Path, header: str, row: str, said: str) -> None:
    done = scenelet("data", "info", "--data", esc10(tmp_path / "d", header, row))
    assert done.status == 2
    assert "meta.csv" in done.complaint
    assert said in done.complaint


def cut(folder: Path) -> Path:
    path = folder / "cut.tflite"
    path.write_bytes(MODEL.read_bytes()[:20_000])
    return path


def renamed(folder: Path) -> Path:
    path = folder / "picture.tflite"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" * 10)
    return path


@pytest.mark.parametrize("make", [cut, renamed, lambda folder: folder / "gone.tflite"])
@pytest.mark.parametrize("command", ["budget", "export", "run", "parity", "bench", "evaluate"])
def test_a_bad_model_is_named_by_every_command(
    scenelet: Run, tmp_path: Path, make: Callable[[Path], Path], command: str
) -> None:
    path, out = make(tmp_path), tmp_path / "out"
    rest = {"export": ["--out", out], "run": [tmp_path / "a.wav"], "evaluate": ["--data", tmp_path]}
    done = scenelet(command, path, *rest.get(command, []))
    assert done.status == 2
    assert str(path) in done.complaint
    assert not out.exists()


@pytest.mark.parametrize(
    "command", ["train", *(pytest.param(name, marks=pytest.mark.train) for name in ("crossval", "tune"))]
)
def test_a_cluster_that_is_no_address_is_named(scenelet: Run, tmp_path: Path, command: str) -> None:
    data = esc10(tmp_path / "d", "filename,fold,category,source_clip,take", "1-100-A.wav,1,rain,100,A")
    done = scenelet(command, "sm1", "--data", data, "--out", tmp_path / "out", "--cluster", "nowhere")
    assert done.status == 2
    assert "cluster 'nowhere': is not an address; write dask://HOST:PORT" in done.complaint
    assert not (tmp_path / "out").exists()


def test_an_unknown_recipe_key_is_named(scenelet: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = (toolchain.REPOSITORY / "python/scenelet/recipes/sm1.toml").read_text()
    path.write_text(text.replace("[frontend]", "[frontend]\nn_mel = 12"))
    done = scenelet("train", path, "--data", tmp_path, "--out", tmp_path / "run")
    assert done.status == 2
    assert "unknown key 'frontend.n_mel'" in done.complaint
    assert not (tmp_path / "run").exists()


@pytest.mark.train
def test_epochs_that_a_recipe_cannot_have_are_named_before_anything_is_written(scenelet: Run, tmp_path: Path) -> None:
    data = esc10(tmp_path / "d", "filename,fold,category,source_clip,take", "1-100-A.wav,1,rain,100,A")
    done = scenelet("tune", "cnn32k", "--data", data, "--out", tmp_path / "out", "--epochs", "1")
    assert done.status == 2
    assert "recipe cnn32k with training.epochs = 1" in done.complaint
    assert "warmup_epochs 1 leaves nothing of 1 epochs" in done.complaint
    assert not (tmp_path / "out").exists()


def test_a_recipe_that_is_no_text_is_named(scenelet: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes('name = "mine"  # hört'.encode("latin-1"))
    done = scenelet("train", path, "--data", tmp_path, "--out", tmp_path / "run")
    assert done.status == 2
    assert f"{path}: not UTF-8 text at byte 18, line 1; save it as UTF-8" in done.complaint


def test_a_table_that_may_not_be_read_is_named(scenelet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = esc10(tmp_path / "d", "filename,fold,category,source_clip,take", "1-100-A.wav,1,rain,100,A")

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    done = scenelet("data", "info", "--data", data)
    assert done.status == 2
    assert f"{data / 'meta.csv'}: cannot be read: Permission denied" in done.complaint


def test_a_name_that_no_file_can_have_is_named_with_its_line(scenelet: Run, tmp_path: Path) -> None:
    long = f"{'a' * 300}.wav"
    data = esc10(tmp_path / "d", "filename,fold,category,source_clip,take", f"{long},1,rain,100,A")
    done = scenelet("data", "info", "--data", data)
    assert done.status == 2
    assert f"{data / 'meta.csv'}:2: '{long}' cannot be looked up: File name too long" in done.complaint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "is damaged: not JSON"),
        (b"{", "is damaged: not JSON"),
        (b"[" * 100_000, "is damaged: JSON nested too deeply"),
        (b"[]", "is damaged: not a JSON object"),
        (b"{}", "is damaged: key 'windows': field required"),
        (b'{"windows": 1.5}', "is damaged: key 'windows'"),
    ],
)
def test_a_damaged_evaluation_of_a_run_is_named(scenelet: Run, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "model.tflite").write_bytes(MODEL.read_bytes())
    (tmp_path / "evaluation_host.json").write_bytes(content)
    done = scenelet("report", tmp_path, "--out", tmp_path / "page.html")
    assert done.status == 2
    assert f"{tmp_path / 'evaluation_host.json'}: {said}" in done.complaint
    assert not (tmp_path / "page.html").exists()


@pytest.mark.train
def test_a_run_whose_request_is_no_text_is_named(scenelet: Run, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"\xff\xfe")
    done = scenelet("quantize", tmp_path)
    assert done.status == 2
    assert f"{tmp_path / 'run.json'}: is damaged: not JSON: 'utf-8' codec can't decode" in done.complaint


def test_a_file_that_fails_where_nobody_looked_is_named_still(
    scenelet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("scenelet.publish.report.subject.read_bytes", fail)
    done = scenelet("report", MODEL, "--out", tmp_path / "page.html")
    assert done.status == 2
    assert f"{MODEL}: Input/output error; check the path and its permissions" in done.complaint


def test_without_a_compiler_the_package_to_install_is_named(
    scenelet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path / "build"))
    for target, package in (("host", "gcc"), ("qemu", "gcc-arm-none-eabi")):
        done = scenelet("parity", MODEL, "--target", target)
        assert done.status == 2
        assert f"install --no-install-recommends {package}" in done.complaint


@pytest.mark.cross
def test_without_qemu_the_package_to_install_is_named(
    scenelet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("arm-none-eabi-gcc", "cc"):
        (tmp_path / program).symlink_to(toolchain.find(program))
    monkeypatch.setenv("PATH", str(tmp_path))
    for command in (("bench", MODEL), ("parity", MODEL, "--target", "qemu")):
        done = scenelet(*command)
        assert done.status == 2
        assert "install --no-install-recommends qemu-system-arm)" in done.complaint


def test_an_unknown_target_lists_the_targets(scenelet: Run) -> None:
    done = scenelet("parity", MODEL, "--target", "fpga")
    assert done.status == 2
    assert "litert, tflm, host, qemu" in done.complaint


def test_tensors_of_a_wrong_type_or_shape_are_refused(scenelet: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "float.npy", np.zeros((140, 8, 1)))
    np.save(tmp_path / "short.npy", np.zeros((139, 8, 1), np.int8))
    assert "float64" in scenelet("run", MODEL, tmp_path / "float.npy").complaint
    assert "(139, 8, 1)" in scenelet("run", MODEL, tmp_path / "short.npy").complaint


def test_a_split_that_is_not_there_lists_those_that_are(scenelet: Run, tmp_path: Path) -> None:
    data = esc10(tmp_path / "d", "filename,fold,category,source_clip,take", "1-100-A.wav,1,rain,100,A")
    done = scenelet("evaluate", MODEL, "--data", data, "--split", "fold5")
    assert done.status == 2
    assert "fold5" in done.complaint


def test_a_good_file_is_classified_on_every_local_target(scenelet: Run, tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    path = write_wav(tmp_path / "noise.wav", chance.uniform(-0.5, 0.5, 20_000))
    answers = []
    for target in ("litert", "host"):
        done = scenelet("run", MODEL, path, "--target", target, "--json")
        assert done.status == 0
        answers.append(json.loads(done.out)["results"])
    assert answers[0] == answers[1]
    assert [result["window"] for result in answers[0]] == [0, 1]
    assert all(len(result["scores"]) == 10 for result in answers[0])


def test_a_folder_where_a_file_is_to_be_written_is_named(scenelet: Run, tmp_path: Path) -> None:
    done = scenelet("report", MODEL, "--out", tmp_path)
    assert done.status == 2
    assert f"{tmp_path}: cannot be written" in done.complaint


@pytest.mark.parametrize(
    ("command", "option"),
    [(["evaluate"], "--predictions"), (["evaluate"], "--confusion"), (["device", "calibrate"], "--diagram")],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    scenelet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], option: str
) -> None:
    monkeypatch.setattr("scenelet.data.datasets.registry.open_dataset", lambda *_, **__: pytest.fail("went to work"))
    (tmp_path / "file").touch()
    for path, why in ((tmp_path / "file" / "below" / "x.svg", "Not a directory"), (tmp_path, "Is a directory")):
        done = scenelet(*command, MODEL, "--data", tmp_path, option, path)
        assert done.status == 2
        assert f"{path}: cannot be written: {why}; choose another place" in done.complaint


def folders_of_classes(root: Path, *names: str) -> Path:
    for label in ("rain", "wind"):
        (root / label).mkdir(parents=True)
        for name in names:
            write_wav(root / label / name, np.zeros(8000))
    return root


@pytest.mark.train
def test_the_notes_of_a_data_set_are_told_once_by_every_training(
    scenelet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = folders_of_classes(tmp_path / "data", "r_1.wav", "r_2.wav", "r_3.wav")
    note = "rain: the 3 numbered files of 'r' count as recordings of their own"
    for module, name in (("train", "train"), ("distillation.distill", "distill"), ("pruning.prune", "prune")):
        monkeypatch.setattr(f"scenelet.training.{module}.{name}", _refuse)
    monkeypatch.setattr("scenelet.evaluation.cross_validation.cross_validate", _refuse)
    monkeypatch.setattr("scenelet.training.run_folder.require_finished", lambda _: None)
    place = ["--data", data, "--out", tmp_path / "out"]
    for command in (["train", "sm1"], ["crossval", "sm1"], ["distill", "sm1", "--teacher", data], ["prune", data]):
        assert scenelet(*command, *place).err.count(f"note: {note}\n") == 1
    assert note in json.loads(scenelet("data", "info", "--data", data, "--json").out)["notes"]


def _refuse(*_: object, **__: object) -> None:
    raise InputError("the work", "begins here")


def test_a_data_set_that_cannot_be_split_says_why(scenelet: Run, tmp_path: Path) -> None:
    data = folders_of_classes(tmp_path / "data", "aaaa.wav", "bbbb.wav")
    why = "class 'rain' has 2 recordings where a split needs 3"
    done = scenelet("data", "info", "--data", data)
    assert f"note: no split train, validation, test: {why}" in done.err
    assert why in json.loads(scenelet("data", "info", "--data", data, "--json").out)["absent"]["train"]


@pytest.mark.train
def test_a_model_in_a_runs_place_costs_no_work(scenelet: Run) -> None:
    done = scenelet("quantize", MODEL)
    assert done.status == 2
    assert "give the folder of a training run" in done.complaint
    assert "delete" not in done.complaint


def test_a_negative_seed_is_refused(scenelet: Run) -> None:
    done = scenelet("parity", MODEL, "--seed", "-5")
    assert done.status == 2
    assert "--seed" in done.complaint


def test_a_folder_that_cannot_be_read_is_named(scenelet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for label in ("rain", "wind"):
        (tmp_path / label).mkdir()

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    done = scenelet("data", "info", "--data", tmp_path)
    assert done.status == 2
    assert f"{tmp_path}: cannot be read: Permission denied" in done.complaint


@pytest.mark.parametrize(
    "words",
    [
        ("report", "{}", "--out"),
        ("evaluate", "{}", "--data", "d", "--predictions"),
        ("card", "{}", "--data", "d", "--out"),
    ],
)
def test_no_command_replaces_the_model_that_it_reads(scenelet: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "mine.tflite"
    path.write_bytes(MODEL.read_bytes())
    done = scenelet(*(word.format(path) for word in words), path)
    assert done.status == 2
    assert f"{path}: is read by this command, which would replace it; choose another place" in done.complaint
    assert path.read_bytes() == MODEL.read_bytes()


@pytest.mark.parametrize("place", ["run", "rain/run", "."])
def test_no_run_becomes_a_class_of_its_data_set(scenelet: Run, tmp_path: Path, place: str) -> None:
    for label in ("rain", "wind"):
        for number in range(4):
            (tmp_path / "d" / label).mkdir(parents=True, exist_ok=True)
            write_wav(tmp_path / "d" / label / f"{number}.wav", np.zeros(80))
    before = sorted(tmp_path.rglob("*"))
    done = scenelet("train", "sm1", "--data", tmp_path / "d", "--out", tmp_path / "d" / place)
    assert done.status == 2
    assert "which would take it for a class; choose a place outside" in done.complaint
    assert sorted(tmp_path.rglob("*")) == before


def test_a_pipe_is_no_recording(scenelet: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    done = scenelet("run", MODEL, tmp_path / "a.wav")
    assert done.status == 2
    assert "a.wav: is no regular file; save the recording to a file" in done.complaint


@pytest.mark.parametrize("command", [("train",), ("distill", "--teacher-logits", "t.npz"), ("crossval",), ("tune",)])
def test_a_file_in_a_runs_place_is_named_before_any_work(
    scenelet: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    data = esc10(tmp_path / "d", "filename,fold,category,source_clip,take", "1-100-A.wav,1,rain,100,A")
    (tmp_path / "out").touch()
    done = scenelet(command[0], "sm1", *command[1:], "--data", data, "--out", tmp_path / "out")
    assert done.status == 2
    assert "cannot be written: Not a directory; choose another place" in done.complaint
