"""What ``run`` prints of audio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from fixtures_firmware import Small

import scenelet as sc
from scenelet.tflite.metadata import attach, read


def test_windows_and_clips_are_answered_by_class_names(
    scenelet: Any, small: Small, small_file: Path, tmp_path: Path
) -> None:
    config = small.tables.config
    noise = np.random.default_rng(0).normal(scale=0.1, size=2 * config.clip_samples)
    soundfile.write(tmp_path / "two.wav", noise, config.sample_rate)
    soundfile.write(tmp_path / "one.wav", noise[: config.clip_samples], config.sample_rate)
    lines = scenelet("run", small_file, tmp_path / "two.wav", tmp_path / "one.wav").out.splitlines()
    assert lines[0] == str(tmp_path / "two.wav")
    answers = [line.split() for line in lines if "%" in line]
    assert [row[0] for row in answers] == ["0.0", "0.3", "clip", "0.0"]
    assert sum("█" in line or "▌" in line for line in lines) == 4


def test_a_quiet_window_is_named_and_has_no_part_in_the_clips_answer(
    scenelet: Any, small: Small, tmp_path: Path
) -> None:
    """The model and its twin, whose level of silence lies between noise and nothing."""
    info = read(small.content)
    assert info is not None
    model = tmp_path / "quiet.tflite"
    model.write_bytes(attach(small.content, info.model_copy(update={"silence": -100})))
    config, noise = (
        small.tables.config,
        np.random.default_rng(0).normal(scale=0.1, size=small.tables.config.clip_samples),
    )
    padded = np.concatenate([noise, np.zeros(2 * noise.size)])
    soundfile.write(tmp_path / "padded.wav", padded, config.sample_rate)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(2 * noise.size), config.sample_rate)
    soundfile.write(tmp_path / "noise.wav", noise, config.sample_rate)
    first, nothing, alone = (
        scenelet("run", model, tmp_path / f"{name}.wav").out.splitlines() for name in ("padded", "nothing", "noise")
    )
    said = [line.split()[-1] for line in first if "silence" in line]
    assert len(said) == 2
    clip = next(line for line in first if line.strip(" │").startswith("clip"))
    window = next(line for line in alone if "0.0 s" in line)
    assert clip.split()[1:] == window.split()[2:], "the clip is what its one window with sound is"
    assert sum("silence" in line for line in nothing) == 3
    assert not any("%" in line for line in nothing)
    told = json.loads(scenelet("run", model, tmp_path / "padded.wav", "--json").out)["results"]
    assert [(one["label"] == "silence", one["silent"]) for one in told] == [(False, False), (True, True), (True, True)]
    with sc.load(model, "host") as loaded:
        found = loaded.classify(padded, config.sample_rate)
    assert [(one.label, one.silent) for one in found] == [(one["label"], one["silent"]) for one in told]


def test_tensors_are_answered_by_scores(scenelet: Any, small_file: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 16, 9, 1), np.int8))
    text = scenelet("run", small_file, tmp_path / "x.npy").out
    assert "scores" in text
    assert "█" not in text
