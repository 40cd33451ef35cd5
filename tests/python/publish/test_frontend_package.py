"""The front end that an entry carries computes scenelet's features, bit for bit, without scenelet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.config import recipe
from scenelet.config.recipe import FrontendConfig
from scenelet.errors import InputError
from scenelet.frontend import fixed_point
from scenelet.frontend.capture import read_capture
from scenelet.frontend.tables import make_tables
from scenelet.frontend.windows import cut
from scenelet.publish.challenges.frontend_package import PACKAGE, write_frontend

# Runs the package of the working folder on a file, with scenelet and its source out of reach.
PROGRAM = """
import sys
import numpy
from scenelet_frontend import log_mel
numpy.save(sys.argv[2], log_mel.of_file(sys.argv[1]))
samples = (numpy.load(sys.argv[3]) * 32767).astype(numpy.int16)
numpy.save(sys.argv[4], log_mel.of_samples(samples))
assert not any(name.split(".")[0] == "scenelet" for name in sys.modules)
"""

SLIDING = FrontendConfig(sample_rate=16000, n_fft=512, hop_length=256, n_mels=20, grid="continuous", slide=7)
CONFIGS = {
    "sm1": recipe.load("sm1").frontend,
    "birds24k": recipe.load("birds24k").frontend,
    "sliding": SLIDING.model_copy(update={"sample_bits": 16, "win_length": 400, "clip_seconds": 0.5}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_it_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    chance = np.random.default_rng(0)
    sound = np.clip(chance.normal(0, 0.2, (round(2.3 * config.clip_seconds * 44_100), 2)), -1, 1)
    soundfile.write(tmp_path / "clip.wav", sound, 44_100, subtype="PCM_24")
    loud = chance.uniform(-1, 1, config.clip_samples + 3)
    np.save(tmp_path / "loud.npy", loud)
    write_frontend(tmp_path, config, "run")
    command = [sys.executable, "-c", PROGRAM, "clip.wav", "file.npy", "loud.npy", "samples.npy"]
    subprocess.run(command, cwd=tmp_path, check=True, env={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "."})
    tables = make_tables(config)
    expected = fixed_point.features(cut(read_capture(tmp_path / "clip.wav", config), config), tables)
    found = np.load(tmp_path / "file.npy")
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, expected)
    whole = (loud * 32767).astype(np.int16).astype(np.int32) << (config.sample_bits - 16)
    samples = fixed_point.features(cut(whole, config), tables)
    np.testing.assert_array_equal(np.load(tmp_path / "samples.npy"), samples)


def test_the_same_settings_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_frontend(tmp_path / name, CONFIGS["sm1"], "run")
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name / PACKAGE).iterdir()} for name in ("a", "b")
    )
    assert first == second
    assert set(first) == {"log_mel.py", "audio.py", "fixed_point.py", "tables.npz", "tables.py", "windows.py"}


def test_a_front_end_that_decimates_is_refused(tmp_path: Path) -> None:
    config = FrontendConfig(sample_rate=8000, capture_rate=48000)
    with pytest.raises(InputError, match="run: has a front end with capture_rate; train on audio at the front end's"):
        write_frontend(tmp_path, config, "run")
