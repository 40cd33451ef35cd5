"""Live audio through the product: decimated, slid over the continuous grid, decided, gated; by link and microphone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from captures import CAPTURE, clip_answers, expected, heard, microphone_file, silent, sound
from program_stream import ProgramStream

from scenelet.errors import ToolError
from scenelet.evaluation.decision import SILENT, Decider, Rule, loudness
from scenelet.targets.build import platformio
from scenelet.targets.qemu import boot
from scenelet.targets.serial.client import Device, capture_contents, fields, scores_of
from scenelet.targets.serial.framing import Input


def by_link(device: Any, model: Any, samples: np.ndarray) -> np.ndarray:
    contents = capture_contents(samples, CAPTURE, model.tables.config)
    identity = model.compiled.identity.sha256, model.tables.sha256
    return scores_of(device.decide(contents, Input.CAPTURE, *identity), (4,))


@contextmanager
def hearing(program: Path, microphone: Path | None) -> Iterator[Device]:
    stream = ProgramStream(program, microphone)
    device = Device(stream, give_up_seconds=20)
    device.wait_ready()
    try:
        yield device
    finally:
        stream.close()
    assert stream.process.returncode == 0, "the sanitizers found something"


def lines_of(device: Device, *commands: str) -> list[str]:
    """All that is said from these commands on until nothing comes any more."""
    device._stream.write("".join(f"\0{command}\n" for command in commands).encode())
    lines = []
    while event := device.event(0.5):
        lines.append(getattr(event, "text", ""))
    return lines


def led(folder: Path) -> str:
    """What the LED was told, as ones and zeros."""
    return (folder / "microphone-led").read_text("ascii")


def scores_in(lines: list[str]) -> np.ndarray:
    said = [fields(line)["scores"] for line in lines if line.startswith("decision ")]
    return np.array([[int(score) for score in one.split(",")] for one in said], np.int8)


def test_by_link_every_window_slides_as_training_cut_it(live_program: Path, live: Any) -> None:
    samples = sound(1.1)
    with hearing(live_program, None) as device:
        want = expected(live, samples)
        assert len(want) > 15
        assert np.array_equal(by_link(device, live, samples), want)
        assert np.array_equal(by_link(device, live, samples[:9000]), expected(live, samples[:9000])), (
            "from silence again"
        )


def with_pause(seed: int) -> np.ndarray:
    """Sound, digital silence, and sound again."""
    return np.concatenate([sound(0.5, seed), np.zeros(CAPTURE // 2, np.int32), sound(0.3, seed + 1)])


def test_by_link_silent_windows_are_named_and_the_rule_passes_them_over(live_program: Path, live: Any) -> None:
    samples = with_pause(20)
    want, pauses = expected(live, samples), silent(live, samples)
    assert 3 < len(pauses) < len(want) - 6
    answers = clip_answers(live, samples)
    rule = Rule(threshold=int(np.median(answers.astype(int).max(axis=1))) + 129)
    with hearing(live_program, None) as device:
        device.decide_by(rule.command)
        assert np.array_equal(by_link(device, live, samples), want), "a silent window has scores, too"
        assert sorted(device.silent_windows) == pauses
        assert device.clip_scores == {n: tuple(row) for n, row in enumerate(answers.tolist()) if n not in pauses}
        told = [device.rule_labels[number] for number in range(len(want))]
        by_link(device, live, np.zeros(CAPTURE, np.int32))
        assert set(device.rule_labels.values()) == {"silence"}, "the rule starts anew, and hears nothing"
    decider = Decider(rule)
    said = [decider.hear_silence() if number in pauses else decider.push(row) for number, row in enumerate(answers)]
    names = {None: "unknown", SILENT: "silence", **dict(enumerate(live.compiled.identity.labels))}
    assert told == [names[one] for one in said]
    assert len(set(told)) > 1


def test_the_microphone_spares_the_network_in_silence(live_program: Path, live: Any, tmp_path: Path) -> None:
    samples = with_pause(30)
    samples = samples[: samples.size // 64 * 64]
    with hearing(live_program, microphone_file(tmp_path, samples)) as device:
        lines = lines_of(device, "listen on")
    pauses = silent(live, samples)
    assert [int(fields(line)["window"]) for line in lines if line.startswith("silent")] == pauses
    want = expected(live, samples)
    loud = [number for number in range(len(want)) if number not in pauses]
    assert [int(fields(line)["window"]) for line in lines if line.startswith("decision")] == loud
    assert np.array_equal(scores_in(lines), want[loud])
    assert led(tmp_path).endswith("".join("0" if number in pauses else "1" for number in range(len(want))))


@pytest.mark.qemu
def test_the_emulated_board_hears_the_same(live: Any) -> None:
    samples = with_pause(1)
    with boot(platformio.build(live.sources())) as device:
        assert np.array_equal(by_link(device, live, samples), expected(live, samples))
        assert sorted(device.silent_windows) == (pauses := silent(live, samples)) != []
        answers = enumerate(clip_answers(live, samples).tolist())
        assert device.clip_scores == {number: tuple(row) for number, row in answers if number not in pauses}
        assert device.info()["microphone"] == "none"
        with pytest.raises(ToolError, match="no microphone"):
            device.command("listen on")


@pytest.mark.qemu
def test_without_filters_capture_is_refused(product_elf: Path, small: Any) -> None:
    """Neither a microphone nor a model that was trained behind one."""
    with boot(product_elf) as device, pytest.raises(ToolError, match="refused the input"):
        device.open_session(Input.CAPTURE, small.compiled.identity.sha256, small.tables.sha256)


def test_the_microphone_is_heard_without_a_host(live_program: Path, live: Any, tmp_path: Path) -> None:
    samples = sound(1.4, 2)
    whole = samples[: samples.size // 64 * 64]
    with hearing(live_program, microphone_file(tmp_path, samples)) as device:
        lines = lines_of(device, "listen on")
        info = device.info()
    assert "listen on microphone=i2s rate=16000" in lines
    assert np.array_equal(scores_in(lines), expected(live, whole))
    assert [fields(line)["window"] for line in lines if line.startswith("decision")] == [
        str(n) for n in range(len(expected(live, whole)))
    ]
    assert (info["microphone"], info["listening"], info["overruns"]) == ("i2s", "yes", "0")
    assert 0 < int(info["asleep_permille"]) <= 1000


def test_on_the_clip_grid_windows_follow_each_other(program: Path, small: Any, tmp_path: Path) -> None:
    samples = sound(1.4, 3)
    with hearing(program, microphone_file(tmp_path, samples)) as device:
        lines = lines_of(device, "listen on")
    assert len(scores_in(lines)) == 5
    assert np.array_equal(scores_in(lines), expected(small, samples[: samples.size // 64 * 64]))


def test_the_rule_speaks_for_live_windows(live_program: Path, live: Any, tmp_path: Path) -> None:
    samples = sound(1.2, 4)
    want = clip_answers(live, samples[: samples.size // 64 * 64])
    rule = Rule(share=100, threshold=int(np.median(want.astype(int).max(axis=1))) + 129)
    with hearing(live_program, microphone_file(tmp_path, samples)) as device:
        lines = lines_of(device, rule.command, "listen on")
    decider = Decider(rule)
    said = [decider.push(row) for row in want]
    names = ["unknown" if one is None else live.compiled.identity.labels[one] for one in said]
    assert [fields(line)["label"] for line in lines if line.startswith("heard")] == names
    assert len(set(names)) > 1
    lit = "".join("0" if name == "unknown" else "1" for name in names)
    assert led(tmp_path).endswith(lit), "lit while a class is in charge"
    assert set(led(tmp_path).removesuffix(lit)) == {"0"}


def test_the_gate_lets_quiet_windows_pass(live_program: Path, live: Any, tmp_path: Path) -> None:
    """The twin: mean of the absolute samples since the last window."""
    config = live.tables.config
    samples = sound(1.4, 5)
    low = heard(samples[: samples.size // 64 * 64], 16)
    first, step = config.n_fft + 8 * config.hop_length, config.slide * config.hop_length
    ends = range(first, low.size + 1, step)
    levels = [loudness(low[0 if end == first else end - step : end]) for end in ends]
    gate = sorted(levels)[len(levels) // 2]
    with hearing(live_program, microphone_file(tmp_path, samples)) as device:
        lines = lines_of(device, f"gate {gate}", "listen on")
    assert f"gate loudness={gate}" in lines
    quiet = {int(fields(line)["window"]): int(fields(line)["loudness"]) for line in lines if line.startswith("quiet")}
    assert quiet == {window: level for window, level in enumerate(levels) if level < gate}
    assert 0 < len(quiet) < len(levels)
    loud = [window for window in range(len(levels)) if window not in quiet]
    assert led(tmp_path).endswith("".join("0" if window in quiet else "1" for window in range(len(levels))))
    assert np.array_equal(scores_in(lines), expected(live, samples[: samples.size // 64 * 64])[loud])


@pytest.mark.parametrize("line", ["gate", "gate x", "gate 1 2", "gate 1234567", "listen", "listen 1", "listen on on"])
def test_what_is_malformed_is_refused(live_program: Path, line: str) -> None:
    with hearing(live_program, None) as device:
        assert any(text.startswith("e-[") and text.endswith(f": {line}]") for text in lines_of(device, line)[:2])


def test_a_session_ends_listening_and_the_other_way_round(live_program: Path, live: Any, tmp_path: Path) -> None:
    samples = sound(0.5, 6)
    with hearing(live_program, microphone_file(tmp_path, np.zeros(0, np.int32))) as device:
        assert lines_of(device, "listen on")[0].startswith("listen on")
        assert device.info()["listening"] == "yes"
        assert np.array_equal(by_link(device, live, samples), expected(live, samples))
        assert device.info()["listening"] == "no"
        lines_of(device, "listen on")
        device._stream.write(b"\0last\n")
        assert device._response() == ["e-[no decision yet: last]"]
