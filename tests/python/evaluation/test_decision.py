"""What is said of many windows: the firmware's C, its twin in Python, and the rule over the serial line."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from cffi import FFI
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.core import toolchain
from scenelet.errors import InputError, ToolError
from scenelet.evaluation.calibration import calibration_error, confidence_bins, diagram
from scenelet.evaluation.decision import SILENT, Decider, Rule, calibrate
from scenelet.targets.serial.client import audio_contents
from scenelet.targets.serial.framing import Input

SOURCES = toolchain.FIRMWARE / "lib" / "classifier"
RULES = st.builds(Rule, st.integers(1, 256), st.integers(0, 255), st.integers(0, 255))


NO_SILENCE = np.zeros(1000, np.bool_)


def in_c(rule: Rule, scores: np.ndarray, silent: np.ndarray = NO_SILENCE) -> list[int | None]:
    ffi = FFI()
    ffi.cdef(
        "typedef struct { uint16_t share; uint8_t margin, threshold; } scn_decision_rule_t;"
        "void scn_decision_begin(void *, scn_decision_rule_t, uint32_t);"
        "int32_t scn_decision_push(void *, const int8_t *);"
        "int32_t scn_decision_push_silence(void *);"
    )
    flags = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
    library = ffi.dlopen(str(toolchain.shared_library("decision", [SOURCES / "scn_decision.c"], [SOURCES], flags)))
    state = ffi.new("uint64_t[200]")
    library.scn_decision_begin(state, (rule.share, rule.margin, rule.threshold), scores.shape[1])
    said = [
        library.scn_decision_push_silence(state)
        if quiet
        else library.scn_decision_push(state, ffi.from_buffer("int8_t[]", np.ascontiguousarray(row)))
        for row, quiet in zip(scores, silent, strict=False)
    ]
    return [None if one == -1 else one for one in said]


def in_python(rule: Rule, scores: np.ndarray, silent: np.ndarray = NO_SILENCE) -> list[int | None]:
    decider = Decider(rule)
    return [decider.hear_silence() if quiet else decider.push(row) for row, quiet in zip(scores, silent, strict=False)]


@settings(max_examples=80, deadline=None)
@given(RULES, st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_c_and_python_say_the_same(rule: Rule, classes: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    scores = chance.integers(-128, 128, (40, classes)).astype(np.int8)
    silent = chance.random(40) < chance.random()
    assert in_c(rule, scores) == in_python(rule, scores)
    assert in_c(rule, scores, silent) == in_python(rule, scores, silent)


def test_silence_has_no_part_in_a_decision() -> None:
    scores, silent = rows((9, 0), (9, 0), (0, 255), (9, 0), (0, 5)), np.array([1, 0, 1, 0, 0], np.bool_)
    assert in_python(Rule(share=128), scores, silent) == [SILENT, 0, 0, 0, 0]
    assert in_python(Rule(threshold=10), scores, silent) == [SILENT, None, None, None, None]
    assert in_python(Rule(), scores[:2], np.array([True, True])) == [SILENT, SILENT]


def rows(*values: tuple[int, int]) -> np.ndarray:
    """Scores of two classes, counted from 0."""
    return (np.array(values) - 128).astype(np.int8)


def test_without_a_rule_it_is_the_highest_score() -> None:
    assert in_python(Rule(), rows((3, 2), (2, 3), (5, 5), (6, 5))) == [0, 1, 1, 0]


def test_one_window_does_not_outweigh_the_past() -> None:
    """Level of class 0 over class 1: 150, 150, 75, 93.75, 32.8, -12.9 .."""
    scores = rows((200, 50), (200, 50), (50, 200), (200, 50), *[(50, 200)] * 4)
    assert in_python(Rule(share=64), scores) == [0, 0, 0, 0, 0, 1, 1, 1]


def test_the_class_in_charge_is_not_left_for_a_little_more() -> None:
    assert in_python(Rule(margin=20), rows((100, 90), (100, 120), (100, 121), (102, 121))) == [0, 0, 1, 1]


def test_below_the_threshold_nobody_takes_charge_and_above_it_charge_is_kept() -> None:
    scores = rows((99, 0), (100, 0), (90, 0), (89, 0), (99, 0))
    assert in_python(Rule(margin=10, threshold=100), scores) == [None, 0, 0, None, None]


def test_calibration_finds_the_lowest_threshold_that_is_enough() -> None:
    """Right where the score is high: 3 of 4 windows of class 0 at 200, 1 of 4 at 80."""
    clips = [(0, rows((200, 0))), (0, rows((201, 0))), (0, rows((80, 0))), (1, rows((80, 0))), (1, rows((79, 0)))]
    assert calibrate(clips, Rule(), 1.0) == (Rule(threshold=81), 0.4)
    assert calibrate(clips, Rule(), 0.75) == (Rule(threshold=80), 0.8)
    assert calibrate(clips, Rule(), 0.6) == (Rule(threshold=0), 1.0)
    with pytest.raises(InputError, match="no threshold makes 100% of the answers right"):
        calibrate([(1, rows((255, 0)))], Rule(), 1.0)


def test_reliability_counts_windows_by_their_confidence() -> None:
    """Two at 200 / 256, one of them right; one at 80 / 256, wrong."""
    clips = [(0, rows((200, 0))), (1, rows((200, 0))), (1, rows((80, 0)))]
    bins = confidence_bins(clips, Rule(threshold=255))
    assert [one.windows for one in bins] == [0, 0, 0, 1, 0, 0, 0, 2, 0, 0]
    assert (bins[7].confidence, bins[7].accuracy) == (200 / 256, 0.5)
    assert (bins[3].confidence, bins[3].accuracy) == (80 / 256, 0.0)
    assert calibration_error(bins) == pytest.approx((2 * (200 / 256 - 0.5) + 80 / 256) / 3)
    with pytest.raises(InputError, match="there are no windows"):
        confidence_bins([], Rule())


def test_reliability_is_that_of_smoothed_scores() -> None:
    bins = confidence_bins([(0, rows((255, 0), (0, 255)))], Rule(share=64))
    assert [one.windows for one in bins] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 1], "255, then three quarters of it"


def test_the_diagram_is_whole() -> None:
    rule = Rule(threshold=128)
    bins = confidence_bins([(0, rows((200, 0))), (1, rows((80, 0)))], rule)
    root = ET.fromstring(diagram(bins, rule, "a <model>"))
    space = "{http://www.w3.org/2000/svg}"
    titles = [element.text for element in root.iter(f"{space}title")]
    assert titles == ["1 windows, confidence 0.312, accuracy 0.000", "1 windows, confidence 0.781, accuracy 1.000"]
    assert "M185.0 0V330" in [element.get("d") for element in root.iter(f"{space}path")], "the threshold, half way"
    assert next(element.text for element in root.iter(f"{space}text")) == "a <model>"


@pytest.mark.parametrize("text", ["", "1 2", "0 0 0", "257 0 0", "1 256 0", "1 0 256", "1 -1 0", "a 0 0"])
def test_impossible_rules_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        Rule.parse(text)


def test_the_device_says_what_the_twin_says(connect: Any, small: Any) -> None:
    windows = small.windows(30)
    best = small.expected(windows).astype(int).max(axis=1) + 128
    rule = Rule(share=100, threshold=int(np.median(best)) + 1)
    with connect() as (device, _):
        assert device.decide_by(rule.command) == f"decide share=100 margin=0 threshold={rule.threshold}"
        model, frontend = small.compiled.identity.sha256, small.tables.sha256
        contents = audio_contents(windows, small.tables.config)
        scores = [one.scores for one in device.decide(contents, Input.AUDIO, model, frontend)]
        heard = dict(device.rule_labels)
        assert device.decide_by("decide off") == "decide off"
        list(device.decide(audio_contents(windows[:2], small.tables.config), Input.AUDIO, model, frontend))
        assert not device.rule_labels
    said = in_python(rule, np.array(scores, np.int8))
    names = ["unknown" if one is None else small.compiled.identity.labels[one] for one in said]
    assert [heard[number] for number in range(30)] == names
    assert len(set(names)) > 1


@pytest.mark.parametrize(
    "line", ["decide", "decide 0 0 0", "decide 257 0 0", "decide 1 256 0", "decide 1 0", "decide 1 0 0 0"]
)
def test_the_device_refuses_impossible_rules(connect: Any, line: str) -> None:
    with connect() as (device, _), pytest.raises(ToolError, match="decide takes"):
        device.decide_by(line)
