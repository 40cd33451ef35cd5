"""Remarks on audio files that are used all the same reach the user, once, whichever command reads the file."""

import json
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commands import Done

from scenelet.cli.output import remarks_as_notes
from scenelet.config.recipe import FrontendConfig
from scenelet.core import toolchain
from scenelet.core.notes import InputNote, note
from scenelet.data.dataset import Clip
from scenelet.frontend.cache import cached_features

MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
Run = Callable[..., Done]


def streamed(path: Path) -> Path:
    """A WAV file as a program leaves it that wrote into a pipe: without a length."""
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, 8000), 8000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    return path


def test_run_prints_a_note_and_classifies(scenelet: Run, tmp_path: Path) -> None:
    path = streamed(tmp_path / "[b] a.wav")
    done = scenelet("run", MODEL, path, path, "--json")
    assert done.status == 0
    assert len(json.loads(done.out)["results"]) == 2
    told = " ".join(done.err.split())
    assert told.count(f"note: {path}: the header does not state how many bytes of samples") == 1


def test_evaluate_prints_a_note(scenelet: Run, tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    path = streamed(tmp_path / "audio" / "1-100-A.wav")
    (tmp_path / "meta.csv").write_text("filename,fold,category,source_clip,take\n1-100-A.wav,1,rain,100,A\n")
    done = scenelet("evaluate", MODEL, "--data", tmp_path, "--split", "all", "--json")
    assert done.status == 0
    assert f"note: {path}: " in " ".join(done.err.split())
    json.loads(done.out)


def test_the_features_of_training_come_from_the_same_reader(tmp_path: Path) -> None:
    path = streamed(tmp_path / "a.wav")
    with pytest.warns(InputNote, match="does not state how many bytes"):
        features, _ = cached_features([Clip(path, "rain", "a")], FrontendConfig(), tmp_path / "cache")
    assert len(features) == 8000 // FrontendConfig().clip_samples


def test_each_note_is_printed_once_and_other_warnings_stay(capfd: pytest.CaptureFixture[str]) -> None:
    def warn() -> None:
        with remarks_as_notes():
            for _ in range(3):
                note("[b]a\nb.wav", "has no length")
            warnings.warn("something else", RuntimeWarning, stacklevel=1)

    with pytest.warns(RuntimeWarning, match="something else"):
        warn()
    assert capfd.readouterr().err.splitlines() == ["note: [b]a b.wav: has no length"]
