"""Models from elsewhere get a front end that fits their input, in its order and at its quantization."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkBuilder

from scenelet.cli import main
from scenelet.config import frontend_file
from scenelet.core import toolchain
from scenelet.deploy.export import export
from scenelet.deploy.foreign import with_frontend
from scenelet.errors import ModelError, RecipeError
from scenelet.frontend import fixed_point
from scenelet.frontend.tables import make_tables
from scenelet.targets.known_answer import noise
from scenelet.targets.litert import LitertTarget

BANDS, FRAMES = 40, 49
SETTINGS = """
[frontend]
sample_rate = 16000
n_fft = 512
hop_length = 320
n_mels = 40
grid = "continuous"
clip_seconds = 1
log_unit = "ln"
"""
SCALE, ZERO_POINT = 0.1, 30

PROGRAM = r"""
#include "scn_clip.h"
#include "scn_engine.h"
#include "scn_known_answer.h"
#include <stdio.h>
static int32_t history[SCN_FRONTEND_HISTORY_BYTES / 4], samples[SCN_FRONTEND_CLIP_SAMPLES];
static _Alignas(8) int32_t work[SCN_FRONTEND_WORK_BYTES / 4];
static int8_t features[SCN_FRONTEND_FEATURES_BYTES], scores[SCN_MODEL_OUTPUT_BYTES];
static _Alignas(16) uint8_t arena[SCN_MODEL_ARENA_BYTES];
int main(void) {
    uint32_t state = SCN_KNOWN_ANSWER_SEED;
    for (int i = 0; i < SCN_FRONTEND_CLIP_SAMPLES; ++i) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        samples[i] = (int32_t)state >> (32 - SCN_FRONTEND_SAMPLE_BITS);
    }
    scn_clip_features(&scn_frontend_tables, samples, history, work, features);
    scn_model_put_inputs(&scn_model, arena, features);
    scn_model_run(&scn_model, arena, NULL, NULL);
    scn_model_get_outputs(&scn_model, arena, scores);
    fwrite(features, 1, sizeof features, stdout);
    fwrite(scores, 1, sizeof scores, stdout);
    return 0;
}
"""

Shape = tuple[int, ...]


def model(folder: Path, shape: Shape, *, outer: str = "int8") -> Path:
    """A classifier over frames of bands, as others train them."""
    network = NetworkBuilder(5, shape, (SCALE, ZERO_POINT), outer=outer)
    made = network.reshape(network.start, (1, FRAMES, BANDS, 1))
    made = network.depthwise(made, (10, 8), multiplier=4, stride=(2, 2), activation="RELU")
    path = folder / "words.tflite"
    path.write_bytes(network.model(network.softmax(network.fully_connected(made, 4))))
    return path


def settings(folder: Path, text: str = SETTINGS) -> str:
    path = folder / "words.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("shape", "outer", "more"),
    [
        ((1, FRAMES, BANDS, 1), "int8", ""),
        ((1, 1, FRAMES, BANDS), "float32", ""),
        ((1, FRAMES * BANDS), "int8", 'layout = "frames_first"\n'),
    ],
)
def test_the_exported_c_hears_what_the_network_was_trained_on(
    shape: Shape, outer: str, more: str, tmp_path: Path
) -> None:
    path, out = model(tmp_path, shape, outer=outer), tmp_path / "out"
    written = export(path, out, frontend=settings(tmp_path, SETTINGS + more), tflm=False)
    assert written.frontend_sha256
    (tmp_path / "main.c").write_text(PROGRAM)
    firmware = toolchain.FIRMWARE
    includes = [f"-I{folder}" for folder in (out, firmware / "lib" / "frontend", *toolchain.engine_folders())]
    sources = [*out.glob("*.c"), *(firmware / "lib" / "frontend").glob("*.c"), *toolchain.engine_sources()]
    toolchain.run(["cc", "-std=c11", *includes, tmp_path / "main.c", *sources, "-lm", "-o", tmp_path / "main"])
    printed = np.frombuffer(subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout, np.int8)
    made, scores = printed[: BANDS * FRAMES].reshape(BANDS, FRAMES), printed[BANDS * FRAMES :]

    # The features are ln(mel power), quantized as the model's input is; the file as it came takes frames of bands.
    config = frontend_file.load(tmp_path / "words.toml").settings(SCALE, ZERO_POINT)
    expected = fixed_point.features(noise(config.clip_samples, config.sample_bits)[None], make_tables(config))[0]
    np.testing.assert_array_equal(made, expected)
    with LitertTarget(path) as reference:
        np.testing.assert_array_equal(reference.run(made.T.reshape(1, *shape[1:]))[0], scores)
    with LitertTarget(out / "words_frontend.tflite") as fitted:
        np.testing.assert_array_equal(fitted.run(made[None, :, :, None])[0], scores)
        np.testing.assert_array_equal(fitted.classify(noise(config.clip_samples, config.sample_bits)[None])[0], scores)


def test_levels_follow_from_the_input_s_quantization() -> None:
    made = frontend_file.FrontendFile(log_unit="ln").settings(SCALE, ZERO_POINT)
    assert made.lo_db == pytest.approx(SCALE * (-128 - ZERO_POINT))
    assert made.hi_db == pytest.approx(SCALE * (127 - ZERO_POINT))
    assert frontend_file.FrontendFile(lo_db=-50, hi_db=3).settings(SCALE, ZERO_POINT).hi_db == 3
    assert make_tables(made, SCALE, ZERO_POINT).sha256 == make_tables(made).sha256


def test_bands_first_need_no_transpose(tmp_path: Path) -> None:
    network = NetworkBuilder(2, (1, 140, 8, 1))
    path = tmp_path / "bands.tflite"
    path.write_bytes(network.model(network.softmax(network.fully_connected(network.mean(network.start), 10))))
    made = with_frontend(path, "sm1")
    with LitertTarget(path) as one, LitertTarget(made) as other:
        assert [operator.op for operator in one.graph.operators] == [operator.op for operator in other.graph.operators]


Change = Callable[[str], str]


@pytest.mark.parametrize(
    ("shape", "change", "message"),
    [
        ((1, FRAMES, BANDS, 1), lambda text: text.replace("320", "160"),
         r"takes 49x40x1 values, the front end gives 40 bands of 97 frames; choose n_mels, hop_length"),
        ((1, FRAMES * BANDS), lambda text: text, 'do not say whether bands or frames come first; add layout = "bands_'),
        ((1, FRAMES, BANDS, 1), lambda text: text + 'layout = "bands_first"\n', "which are not bands_first; leave out"),
        ((1, FRAMES, BANDS, 1), lambda text: text + "mels = 3\n", "unknown key 'mels'"),
        ((1, FRAMES, BANDS, 1), lambda text: text + 'log_unit = "sone"\n', "not TOML"),
        ((1, FRAMES, BANDS, 1), lambda text: text.replace('"ln"', '"sone"'), "must be one of 'db', 'log10' or 'ln'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(shape: Shape, change: Change, message: str, tmp_path: Path) -> None:
    with pytest.raises((ModelError, RecipeError), match=message):
        with_frontend(model(tmp_path, shape), settings(tmp_path, change(SETTINGS)))


def test_a_model_with_a_front_end_keeps_it(tmp_path: Path, sm1: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(sm1), "--out", str(tmp_path / "out"), "--frontend", "sm1"]) == 2
    assert "has a front end in its metadata; leave out --frontend" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
