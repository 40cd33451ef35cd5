"""MLPerf Tiny's commands, spoken as its runner does: words that end in %, answers without checksums."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.targets.host import HostTarget
from scenelet.targets.serial import framing
from scenelet.targets.serial.client import audio_contents, scores_of
from scenelet.targets.serial.framing import Input

BYTES = 16 * 9


def ask(device: Any, line: Any, command: str) -> list[str]:
    line.write(f"{command}%".encode())
    return device.wait_ready()


def load(device: Any, line: Any, one: np.ndarray) -> list[str]:
    assert ask(device, line, f"db load {BYTES}") == [f"m-[Expecting {BYTES} bytes]"]
    told = []
    for start in range(0, BYTES, 32):
        told += ask(device, line, f"db {one.tobytes()[start : start + 32].hex()}")
    return told


def test_it_names_itself_and_its_model(connect: Any, small: Any) -> None:
    with connect() as (device, line):
        assert ask(device, line, "name") == ["m-name-dut-[scenelet]"]
        profile, model = ask(device, line, "profile")
        first, second = (int(ask(device, line, "timestamp")[0].removeprefix("m-lap-us-")) for _ in range(2))
    assert profile.startswith("m-profile-[scenelet ")
    assert model == f"m-model-[{small.compiled.identity.name}]"
    assert second >= first > 0


@pytest.mark.parametrize("seed", range(3))
def test_results_are_the_hosts(connect: Any, small: Any, seed: int) -> None:
    one = np.random.default_rng(seed).integers(-128, 128, BYTES).astype(np.int8)
    with connect() as (device, line):
        assert load(device, line, one) == ["m-load-done"]
        told = ask(device, line, "infer 3 2")
        again = ask(device, line, "results")
        once = ask(device, line, "infer 1 0")
    assert [word.rstrip("0123456789") for word in told[:6]] == [
        "m-warmup-start-", "m-warmup-done", "m-infer-start-", "m-lap-us-", "m-lap-us-", "m-infer-done",
    ]  # fmt: skip
    assert (told[0], told[2]) == ("m-warmup-start-2", "m-infer-start-3")
    with HostTarget(small.content) as host:
        scores = host.run(one.reshape(1, 16, 9, 1))[0].astype(int) + 128
    expected = "m-results-[" + ",".join(f"{(v * 1000 + 128) // 256 / 1000:.3f}" for v in scores) + "]"
    assert (told[6], again, once[-1]) == (expected, [expected], expected)


@pytest.mark.parametrize(
    "command",
    ["db load 145", "db load 143", "db load", "db load 0", "db load 144 1", "db load -1", "db load 99999999999", "db",
     "db 00", "db load 144x", "infer 0", "infer -1", "infer 1 2 3", "infer 1", "infer 9999999", "infer x", "results"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(connect: Any, command: str) -> None:
    with connect() as (device, line):
        told = ask(device, line, command)
    assert len(told) == 1
    assert told[0].startswith("e-[")


def test_malformed_bytes_store_nothing(connect: Any) -> None:
    one = np.full(BYTES, 7, np.int8)
    with connect() as (device, line):
        ask(device, line, f"db load {BYTES}")
        for wrong in ("0", "0g", "00 0", "zz" * 10):
            assert ask(device, line, f"db {wrong}")[0].startswith("e-[")
        for _ in range(BYTES // 4 - 1):
            assert ask(device, line, "db 07070707") == []
        assert ask(device, line, "db " + "07" * 5)[0].startswith("e-[")
        assert ask(device, line, "db 07070707") == ["m-load-done"]
        got = ask(device, line, "infer 1 0")[-1]
        assert load(device, line, one) == ["m-load-done"]
        assert ask(device, line, "infer 1 0")[-1] == got


def test_the_boot_ends_with_the_runners_words(program: Path) -> None:
    said = subprocess.run([program], input=b"", capture_output=True, check=True).stdout
    assert said.endswith(b"\r\nm-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n")


def test_an_empty_line_is_no_command(connect: Any) -> None:
    with connect() as (device, line):
        line.write(b"%name%")
        assert device.wait_ready() == ["m-name-dut-[scenelet]"]


@pytest.mark.parametrize("spaced", ["name ", " name", "  name   "])
def test_spaces_around_words_are_ignored_as_the_reference_does(connect: Any, spaced: str) -> None:
    with connect() as (device, line):
        assert ask(device, line, spaced) == ["m-name-dut-[scenelet]"]


def test_words_may_have_several_spaces_between_them(connect: Any) -> None:
    with connect() as (device, line):
        assert ask(device, line, f"  db   load  {BYTES}  ") == [f"m-[Expecting {BYTES} bytes]"]
        for start in range(0, BYTES, 16):
            told = ask(device, line, f" db  {bytes(range(start, start + 16)).hex()} ")
        assert told == ["m-load-done"]
        assert ask(device, line, " db  print  2  1 ") == ["m-buffer-01-02"]
        assert ask(device, line, " infer  1  0 ")[-1].startswith("m-results-[")
        assert ask(device, line, "db 00 0")[0].startswith("e-[")
        line.write(b"   %name%")
        assert device.wait_ready() == ["m-name-dut-[scenelet]"]


WORDS = (
    "name", "db", "load", "print", "infer", "results", "stream", "on", "off", "decide", "gate", "labels", "144", "1",
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 4)), min_size=1, max_size=5), st.integers(0, 3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spaces_never_change_an_answer(connect: Any, words: list[tuple[str, int]], before: int) -> None:
    spaced = " " * before + "".join(word + " " * after for word, after in words)
    with connect() as (device, line):
        assert ask(device, line, spaced) == ask(device, line, " ".join(word for word, _ in words))


@pytest.mark.parametrize("between", ["bench", "selftest", "stream", "session"])
def test_results_stay_those_of_the_last_infer(connect: Any, small: Any, between: str) -> None:
    one = np.full(BYTES, 90, np.int8)
    model, frontend = small.compiled.identity.sha256, small.tables.sha256
    with connect() as (device, line):
        assert load(device, line, one) == ["m-load-done"]
        told = ask(device, line, "infer 1 0")[-1]
        if between == "stream":
            assert ask(device, line, "stream on")
            line.write(b"".join(framing.data(number, bytes(240)) for number in range(30)))
            device.command("info")
        elif between == "session":
            contents = audio_contents(small.windows(2), small.tables.config)
            others = scores_of(device.decide(contents, Input.AUDIO, model, frontend), (4,))
            assert len(others) == 2
        else:
            assert ask(device, line, between)
        assert ask(device, line, "results") == [told]


def test_what_was_loaded_is_printed(connect: Any) -> None:
    one = np.arange(BYTES).astype(np.uint8).view(np.int8)
    lines = ["m-buffer-" + one.tobytes()[at : at + 8].hex("-") for at in range(0, BYTES, 8)]
    with connect() as (device, line):
        assert ask(device, line, "db print")[0].startswith("e-[")
        ask(device, line, f"db load {BYTES}")
        ask(device, line, "db 000102030405060708")
        assert ask(device, line, "db print") == [lines[0], "m-buffer-08"]
        assert ask(device, line, "db print 3 2") == ["m-buffer-02-03-04"]
        load(device, line, one)
        ask(device, line, "infer 2 1")
        assert ask(device, line, "db print") == lines
        assert ask(device, line, f"db print 1 {BYTES - 1}") == ["m-buffer-8f"]
        for wrong in (f"db print {BYTES + 1}", f"db print 1 {BYTES}", "db print 0", "db print 1 2 3", "db print x"):
            told = ask(device, line, wrong)
            assert len(told) == 1
            assert told[0].startswith("e-[")


def test_what_is_no_command_is_said_as_the_runner_knows_it(connect: Any) -> None:
    with connect() as (device, line):
        assert ask(device, line, "nonsense 1") == ["e-[Unknown command: nonsense 1]"]


@pytest.mark.parametrize("line_sent", [b"x" * 81, b"x" * 5000, b"na\x07me", b"nam\xc3\xa4"])
def test_a_line_that_cannot_be_a_command_is_refused(connect: Any, line_sent: bytes) -> None:
    with connect() as (device, line):
        line.write(line_sent + b"%")
        assert device.wait_ready() == ["e-[Line refused: more than 80 characters, or not printable]"]
        assert ask(device, line, "name") == ["m-name-dut-[scenelet]"]


def test_a_session_and_the_runner_do_not_mix(connect: Any, small: Any) -> None:
    windows = small.windows(2)
    model, frontend = small.compiled.identity.sha256, small.tables.sha256
    with connect() as (device, line):
        load(device, line, np.zeros(BYTES, np.int8))
        decisions = device.decide(audio_contents(windows, small.tables.config), Input.AUDIO, model, frontend)
        assert np.array_equal(scores_of(decisions, (4,)), small.expected(windows))
        assert ask(device, line, "infer 1 0") == ["e-[no input yet; db load and db first]"]
