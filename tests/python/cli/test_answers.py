"""What ``run`` prints of audio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from fixtures_firmware import Small


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


def test_tensors_are_answered_by_scores(scenelet: Any, small_file: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 16, 9, 1), np.int8))
    text = scenelet("run", small_file, tmp_path / "x.npy").out
    assert "scores" in text
    assert "█" not in text
