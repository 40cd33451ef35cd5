"""The host's side of the protocol against the firmware's own C, over lines that lose bytes."""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np
import pytest

from scenelet.errors import InputError, ToolError
from scenelet.targets.serial import framing
from scenelet.targets.serial.client import Device, audio_contents, fields, samples_to_bytes, scores_of
from scenelet.targets.serial.framing import Input, Reason, Status
from scenelet.targets.serial.go_back_n import Sender


def stream(device: Device, small: Any, windows: np.ndarray) -> np.ndarray:
    contents = audio_contents(windows, small.tables.config)
    decisions = device.decide(contents, Input.AUDIO, small.compiled.identity.sha256, small.tables.sha256)
    return scores_of(decisions, (4,))


def test_info_says_what_the_device_holds(connect: Any, small: Any) -> None:
    with connect() as (device, _):
        info = device.info()
    assert info["model_sha256"] == small.compiled.identity.sha256
    assert info["frontend_sha256"] == small.tables.sha256
    assert int(info["params_bytes"]) == small.compiled.cost.params_bytes
    assert int(info["macs"]) == small.compiled.cost.macs
    assert int(info["arena_bytes"]) == small.compiled.plan.arena_bytes
    assert info["model"] == small.compiled.identity.name


def test_labels_come_whole_in_the_order_of_the_scores(connect: Any, small: Any) -> None:
    with connect() as (device, _):
        named = device.labels()
    assert tuple(named) == small.compiled.identity.labels


def test_self_test_and_bench(connect: Any, small: Any) -> None:
    with connect() as (device, _):
        assert device.selftest() == "pass"
        steps = device.bench()
    assert [step["op"] for step in steps] == [step.op for step in small.compiled.program.steps]


def test_an_unknown_command_is_answered(connect: Any) -> None:
    with connect() as (device, _), pytest.raises(ToolError, match=r"Unknown command: nonsense"):
        device.command("nonsense")


def test_windows_are_decided_as_on_the_host(connect: Any, small: Any) -> None:
    windows = small.windows(40)
    with connect() as (device, _):
        assert np.array_equal(stream(device, small, windows), small.expected(windows))


def test_labels_of_decisions_belong_to_the_highest_score(connect: Any, small: Any) -> None:
    contents = audio_contents(small.windows(20), small.tables.config)
    with connect() as (device, _):
        for decision in device.decide(contents, Input.AUDIO, small.compiled.identity.sha256, small.tables.sha256):
            assert decision.label == small.compiled.identity.labels[int(np.argmax(decision.scores))]


@pytest.mark.parametrize(("rate", "seed", "count"), [(1e-4, 1, 120), (1e-3, 2, 12), (1e-3, 3, 12), (3e-3, 4, 12)])
def test_a_line_that_spoils_bytes_costs_time_but_no_bit(
    connect: Any, small: Any, rate: float, seed: int, count: int
) -> None:
    """As many windows as spoil about a hundred bytes or more: the number depends on what had to be sent again."""
    windows = small.windows(count, seed)
    with connect(rate, seed) as (device, line):
        assert np.array_equal(stream(device, small, windows), small.expected(windows))
        assert line.damaged > 5


def test_tensors_are_decided_too(connect: Any, small: Any) -> None:
    chance = np.random.default_rng(0)
    inputs = chance.integers(-128, 128, (30, 16 * 9)).astype(np.int8)
    with connect(1e-3, 9) as (device, _):
        contents = (one.tobytes() for one in inputs)
        decisions = device.decide(contents, Input.TENSOR, small.compiled.identity.sha256, None)
        scores = scores_of(decisions, (4,))
    from scenelet.targets.host import HostTarget

    with HostTarget(small.content) as host:
        assert np.array_equal(scores, host.run(inputs))


def test_a_new_session_forgets_the_unfinished_window(connect: Any, small: Any) -> None:
    windows = small.windows(3)
    model, frontend = small.compiled.identity.sha256, small.tables.sha256
    with connect() as (device, line):
        device.open_session(Input.AUDIO, model, frontend)
        line.write(framing.data(0, b"\1\2\3" * 80) + framing.data(1, b"\7\7\7" * 80))
        assert np.array_equal(stream(device, small, windows), small.expected(windows))


def test_an_idle_host_is_no_end(connect: Any, small: Any) -> None:
    with connect() as (device, _):
        assert stream(device, small, small.windows(0)).shape == (0, 4)


@pytest.mark.parametrize(
    ("model", "frontend", "told"),
    [("ff" * 32, None, "holds another model"), (None, "ff" * 32, "holds another front end")],
)
def test_another_model_is_refused(connect: Any, small: Any, model: str, frontend: str, told: str) -> None:
    with connect() as (device, _), pytest.raises(ToolError, match=told):
        device.open_session(Input.AUDIO, model or small.compiled.identity.sha256, frontend or small.tables.sha256)


def test_a_command_that_needs_the_memory_ends_the_session(connect: Any, small: Any) -> None:
    windows = (content for content in audio_contents(small.windows(3), small.tables.config))
    with connect() as (device, line):
        decisions = device.decide(windows, Input.AUDIO, small.compiled.identity.sha256, small.tables.sha256)
        next(decisions)
        line.write(b"\0bench\n")
        with pytest.raises(ToolError, match="has no session"):
            list(decisions)


def test_a_host_that_ignores_its_credit_is_caught_up_with(connect: Any, small: Any) -> None:
    """Everything at once, more than the ring holds: what is lost is asked for again."""
    window = small.windows(1)[0]
    payloads = [samples_to_bytes(window, 24)[start : start + 240] for start in range(0, 3 * len(window), 240)]
    with connect() as (device, line):
        device.open_session(Input.AUDIO, small.compiled.identity.sha256, small.tables.sha256)
        flood = b"".join(framing.data(number, payload) for number, payload in enumerate(payloads))
        line.write(b"\0" + framing.data(500, b"abc") + flood[: len(flood) // 2])
        heard = [device.event(1.0) for _ in range(2)]
        assert isinstance(heard[0], Status)
        assert heard[0].reason == Reason.SEQUENCE
        line.write(flood)
        event = None
        while not (event := device.event(1.0)) or not getattr(event, "text", "").startswith("decision"):
            assert event is not None
        assert [int(v) for v in fields(event.text)["scores"].split(",")] == small.expected(window[None])[0].tolist()


@pytest.mark.parametrize("seed", range(4))
def test_no_bytes_crash_or_deafen_the_device(connect: Any, seed: int) -> None:
    chance = random.Random(seed)
    with connect() as (device, line):
        for _ in range(40):
            body = bytes((chance.choice([0x80, 0x81, 0x82, 0xC0, 0x99]),)) + os.urandom(chance.randrange(250))
            line.write(chance.choice([os.urandom(chance.randrange(2000)), b"\0" + body + b"\0", framing.encode(body)]))
        line.write(b"\0" + b"\x02\x81" + b"\x55" * 100_000 + b"\0" + b"x" * 100_000 + b"\n")
        assert device.info()["protocol"] == str(framing.PROTOCOL_VERSION)


def test_a_dead_device_is_named() -> None:
    class Silence:
        def read(self, seconds: float) -> bytes:
            del seconds
            return b""

        def write(self, content: bytes) -> None:
            del content

        def close(self) -> None: ...

    device = Device(Silence(), ask_seconds=0.01, give_up_seconds=0.05)
    with pytest.raises(ToolError, match=r"device: gave no m-ready in 0\.05 s; reset it"):
        device.wait_ready()
    with pytest.raises(ToolError, match="gave no response to info"):
        device.info()
    with pytest.raises(ToolError, match="gave no response to START"):
        list(device.decide([b"abc"], Input.TENSOR, "00" * 32, None))


def test_windows_must_have_the_length_of_a_clip(small: Any) -> None:
    with pytest.raises(InputError, match=r"have shape \(2, 7\)"):
        audio_contents(np.zeros((2, 7), np.int32), small.tables.config)


def test_samples_on_the_wire() -> None:
    assert samples_to_bytes(np.array([-1, 1, -(2**23)], np.int32), 24) == b"\xff\xff\xff\1\0\0\0\0\x80"
    assert samples_to_bytes(np.array([-2, 258], np.int32), 16) == b"\xfe\xff\2\1"


def acknowledged(sender: Sender, next_: int, reason: Reason = Reason.OK, poll: int = 0) -> int:
    """Tell a sender what the device waits for; how many frames it sends then."""
    sender.on_status(Status(1, poll, reason, next_ & 0xFFFF, 10, 0))
    return sum(1 for _ in sender.frames())


def test_sender_keeps_within_credit_and_goes_back() -> None:
    sender = Sender(iter([bytes(240 * 30)] * 2), Status(1, 0, 0, 0, 10, 0))
    assert sum(1 for _ in sender.frames()) == 10
    assert acknowledged(sender, 4) == 4
    assert acknowledged(sender, 4) == 0
    assert acknowledged(sender, 4, Reason.CORRUPT) == 10
    sender.on_poll(3)
    assert acknowledged(sender, 6, poll=2) == 2
    assert acknowledged(sender, 6, poll=3) == 10
    assert acknowledged(sender, 6, poll=3) == 0
    sender.on_poll(4)
    assert acknowledged(sender, 12) == 6
    assert acknowledged(sender, 16, poll=4) == 4, "all before the POLL has come: what was sent since is on its way"
    assert acknowledged(sender, 40_000) == 0, "an impossible answer changes nothing"


def test_sender_holds_the_end_of_the_next_window_back() -> None:
    sender = Sender(iter([bytes(240 * 3)] * 3), Status(1, 0, 0, 0, 100, 0))
    assert sum(1 for _ in sender.frames()) == 5
    assert not sender.awaits_decision
    assert acknowledged(sender, 5) == 0
    assert sender.awaits_decision
    assert not sender.on_decision(1)
    assert sender.on_decision(0)
    assert sum(1 for _ in sender.frames()) == 3


def test_sender_counts_past_the_wrap_of_sequence_numbers() -> None:
    windows = 700
    sender = Sender(iter([bytes(240 * 100)] * windows), Status(1, 0, 0, 0, 10, 0))
    sent = 0
    while not sender.finished:
        sent += sum(1 for _ in sender.frames())
        sender.on_status(Status(1, 0, 0, sent & 0xFFFF, 10, 0))
        if sender.awaits_decision:
            assert sender.on_decision(sent // 100 - 1)
    assert sent == 100 * windows
