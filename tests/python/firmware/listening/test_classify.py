"""lib/classifier: from samples to a label in three calls, equal to the host's features, scores and rule."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cffi import FFI
from fixtures_firmware import LABELS, Small

from scenelet.core import cortex_m4, toolchain
from scenelet.errors import ToolError
from scenelet.evaluation.decision import SILENT, Decider, Rule
from scenelet.frontend.native import Frontend
from scenelet.frontend.silence import silent_windows
from scenelet.targets.host import HostTarget
from scenelet.tflite.clip_head import clip_scores

LIBRARY = toolchain.FIRMWARE / "lib" / "classifier"
OWN = [toolchain.FIRMWARE / "lib" / "frontend", LIBRARY]
FOLDERS = [*toolchain.engine_folders(), *OWN]
CHECKS = ("-fsanitize=undefined", "-fno-sanitize-recover=all", *cortex_m4.flags()["warnings"])
DECLARATIONS = """
typedef struct { uint16_t share; uint8_t margin, threshold; } scn_decision_rule_t;
typedef struct { const char *label; int32_t index; uint8_t percent; uint32_t windows; bool silent; } scn_heard_t;
void scn_classify_begin(void *);
void scn_classify_begin_by(void *, scn_decision_rule_t);
uint32_t scn_classify_push_s16(void *, const int16_t *, size_t);
uint32_t scn_classify_push_s24(void *, const int32_t *, size_t);
scn_heard_t scn_classify_read(const void *);
uint32_t size_of_classifier(void);
"""
SIZE = """
#include "scn_classify.h"
uint32_t size_of_classifier(void);
uint32_t size_of_classifier(void) { return sizeof(scn_classify_t); }
"""
PROGRAM = """
#include "scn_classify.h"
#include <stdio.h>
static scn_classify_t ear;
int main(void) {
    static int16_t samples[SCN_FRONTEND_CLIP_SAMPLES];
    scn_classify_begin(&ear);
    scn_classify_push_s16(&ear, samples, SCN_FRONTEND_CLIP_SAMPLES);
    puts(scn_classify_read(&ear).label);
    return 0;
}
"""


def written(model: Small, folder: Path, **more: str) -> Path:
    for name, text in {**model.sources(), **more}.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def engine() -> Path:
    """The engine, which is compiled once for all models."""
    return toolchain.shared_library("engine", toolchain.engine_sources(), toolchain.engine_folders(), CHECKS)


class Classifier:
    """The library with a model, in this process."""

    def __init__(self, model: Small, folder: Path) -> None:
        place = written(model, folder, **{"size.c": SIZE})
        sources = [path for each in (*OWN, place) for path in each.glob("*.c")]
        self.ffi = FFI()
        self.ffi.cdef(DECLARATIONS)
        library = toolchain.shared_library("classify", sources, [*FOLDERS, place], CHECKS, [engine()])
        self.c: Any = self.ffi.dlopen(str(library))
        self.state = self.ffi.new("uint64_t[]", -(-self.c.size_of_classifier() // 8))

    def heard(self, samples: np.ndarray, rule: Rule, chance: random.Random) -> list[tuple[str, int, bool]]:
        """Label, per cent and silence after every window of samples, pushed in blocks of any size."""
        push, c_type = {
            "int16": (self.c.scn_classify_push_s16, "int16_t[]"),
            "int32": (self.c.scn_classify_push_s24, "int32_t[]"),
        }[samples.dtype.name]
        self.c.scn_classify_begin_by(self.state, (rule.share, rule.margin, rule.threshold))
        found, at = [], 0
        while at < samples.size:
            block = np.ascontiguousarray(samples[at : at + chance.randrange(1, 400)])
            at += block.size
            if push(self.state, self.ffi.from_buffer(c_type, block), block.size):
                said = self.c.scn_classify_read(self.state)
                found.append((self.ffi.string(said.label).decode(), said.percent, said.silent))
                assert said.windows == len(found)
        return found


@pytest.fixture(scope="module", params=["small", "live", "wide"])
def model(request: pytest.FixtureRequest) -> Small:
    found: Small = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def classifier(model: Small, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier(model, tmp_path_factory.mktemp("classify"))


def answers(host: HostTarget, features: np.ndarray, silent: np.ndarray) -> np.ndarray:
    """What the rule takes of each window: the clip head's scores in Python, or the window's where there is none."""
    if host.clip_head is None:
        return host.run(features)
    _, embeddings = host.run_watched(features, host.clip_head)
    found = clip_scores(host.clip_head, embeddings, silent)
    assert found is not None
    return found


def expected(model: Small, samples: np.ndarray, rule: Rule) -> list[tuple[str, int, bool]]:
    """The same by the host's front end, network and rule; ``samples`` in the model's width."""
    features = Frontend(model.tables).recording(samples)
    silent = silent_windows(features, model.compiled.identity.silence)
    with HostTarget(model.content) as host:
        scores = answers(host, features, silent)
    decider, said = Decider(rule), []
    for row, quiet in zip(scores, silent.tolist(), strict=True):
        held = decider.hear_silence() if quiet else decider.push(row)
        named = held is not None and held != SILENT
        percent = (decider.level(held) * 100 + 32768) // 65536 if named else 0
        said.append(({None: "unknown", SILENT: "silence"}.get(held) or LABELS[held], percent, quiet))
    return said


def noise(model: Small, windows: int, bits: int) -> np.ndarray:
    """Noise whose loudness and colour change from window to window; some of it is very quiet."""
    chance, length = np.random.default_rng(3), model.tables.config.clip_samples
    parts = [np.cumsum(chance.normal(size=length)) if odd % 2 else chance.normal(size=length) for odd in range(windows)]
    levels = 2.0 ** chance.uniform(0, bits - 2, windows)
    scaled = [part / np.abs(part).max() * level for part, level in zip(parts, levels, strict=True)]
    return np.rint(np.concatenate(scaled)).astype(np.int32)


@pytest.mark.parametrize("rule", [Rule(), Rule(share=96, margin=10, threshold=90)], ids=["newest", "smoothed"])
def test_it_hears_what_the_host_computes(model: Small, classifier: Classifier, rule: Rule) -> None:
    samples = noise(model, 6, model.tables.config.sample_bits)
    wanted = expected(model, samples, rule)
    given = samples.astype(np.int16) if model.tables.config.sample_bits == 16 else samples
    assert classifier.heard(given, rule, random.Random(1)) == wanted
    assert len(wanted) >= 6


def test_silent_windows_have_no_part_in_the_answer(model: Small, classifier: Classifier) -> None:
    """Silence first, between sounds, and last; by a model that knows no silence, windows like all others."""
    bits, length = model.tables.config.sample_bits, 4 * model.tables.config.clip_samples
    sound = np.random.default_rng(4).integers(-(1 << bits - 2), 1 << bits - 2, length)
    samples = np.concatenate([np.zeros(length), sound, np.zeros(length), sound[::-1], np.zeros(length)]).astype(
        np.int32
    )
    given = samples.astype(np.int16) if bits == 16 else samples
    rule = Rule(share=96, margin=10, threshold=30)
    wanted = expected(model, samples, rule)
    assert classifier.heard(given, rule, random.Random(3)) == wanted
    if model.compiled.identity.silence is not None:
        assert wanted[0] == ("silence", 0, True)
        assert {label for label, _, _ in wanted[-2:]} <= set(LABELS)
        assert wanted[-1][2]
        assert classifier.heard(given[:length], Rule(), random.Random(4)) == [("silence", 0, True)] * len(
            expected(model, samples[:length], Rule())
        )


def test_samples_of_the_other_width_are_scaled_or_rounded(model: Small, classifier: Classifier) -> None:
    if model.tables.config.sample_bits == 24:
        given = noise(model, 3, 16).astype(np.int16)
        own = given.astype(np.int32) << 8
    else:
        given = noise(model, 3, 24)
        given[:4] = (-(1 << 23), (1 << 23) - 1, 127, 128)
        own = ((given + 128) >> 8).clip(-32768, 32767).astype(np.int32)
    assert classifier.heard(given, Rule(), random.Random(2)) == expected(model, own, Rule())


def test_before_the_first_window_it_is_unknown(classifier: Classifier) -> None:
    classifier.c.scn_classify_begin(classifier.state)
    said = classifier.c.scn_classify_read(classifier.state)
    assert (classifier.ffi.string(said.label), said.index, said.percent, said.windows) == (b"unknown", -1, 0, 0)


@pytest.mark.parametrize(("compiler", "standard"), [("cc", "c11"), ("c++", "c++17")])
def test_three_lines_are_a_program(small: Small, tmp_path: Path, compiler: str, standard: str) -> None:
    written(small, tmp_path, **{"main.txt": PROGRAM})
    places = [f"-I{folder}" for folder in (*FOLDERS, tmp_path)]
    sources = [path for folder in (*OWN, tmp_path) for path in sorted(folder.glob("*.c"))]
    toolchain.run(["cc", "-std=c11", "-O1", *places, "-c", *sources], cwd=tmp_path)
    main = ["-x", "c++" if compiler == "c++" else "c", tmp_path / "main.txt", "-x", "none"]
    flags = (f"-std={standard}", "-Wall", "-Wextra", "-Werror", *places)
    objects = sorted(tmp_path.glob("*.o"))
    sanitizer = "-fsanitize=undefined"  # of the engine's library
    toolchain.run(
        [compiler, *flags, *main, *objects, "-Wl,--no-as-needed", engine(), sanitizer, "-o", tmp_path / "program"]
    )
    heard = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout
    silence = np.zeros(small.tables.config.clip_samples, np.int32)
    assert heard == f"{expected(small, silence, Rule())[0][0]}\n"


def test_another_rate_of_the_microphone_does_not_compile(small: Small, tmp_path: Path) -> None:
    written(small, tmp_path)
    places = [f"-I{folder}" for folder in (*FOLDERS, tmp_path)]
    command = ["cc", "-fsyntax-only", *places, "-include", LIBRARY / "scn_classify.h", "-x", "c", "/dev/null"]
    toolchain.run([*command, f"-DSCN_MICROPHONE_HZ={small.tables.config.sample_rate}"])
    with pytest.raises(ToolError, match="hears another sample rate than SCN_MICROPHONE_HZ"):
        toolchain.run([*command, "-DSCN_MICROPHONE_HZ=11025"])
