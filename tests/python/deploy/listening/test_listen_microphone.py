"""This computer's microphone, with a sounddevice that plays what a test gives it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from captures import CAPTURE, expected, silent, sound

from scenelet.deploy.listening import microphone
from scenelet.deploy.listening.chain import Chain
from scenelet.deploy.listening.choose import Choice, opened
from scenelet.deploy.listening.events import Heard
from scenelet.errors import InputError, ToolError
from scenelet.evaluation.decision import Rule


class PortAudioError(Exception):
    """As sounddevice's."""


class Sounddevice:
    """As much of sounddevice as is used, with one microphone."""

    PortAudioError = PortAudioError

    def __init__(self, samples: np.ndarray, rates: tuple[int, ...] = (CAPTURE,), default: int = 48_000) -> None:
        self.samples, self.rates, self.default = samples, rates, default
        self.overflow_at: int | None = None
        self.closed = False

    def query_devices(self, device: object = None, kind: str | None = None) -> Any:
        if kind is None:
            return [{"name": "Built-in", "max_input_channels": 1}, {"name": "Speaker", "max_input_channels": 0}]
        if device not in (None, 0, "Built-in"):
            raise ValueError(f"No input device matching {device!r}")
        return {"name": "Built-in", "default_samplerate": float(self.default)}

    def check_input_settings(self, *, samplerate: int, **_: object) -> None:
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate")

    def InputStream(self, *, samplerate: int, blocksize: int, callback: Callable[..., None], **_: object) -> Any:  # noqa: N802
        self.rate = samplerate

        def play() -> None:
            for number, at in enumerate(range(0, self.samples.size, blocksize)):
                block = (self.samples[at : at + blocksize] / 2.0**23).astype(np.float32)[:, None]
                status = SimpleNamespace(input_overflow=number == self.overflow_at)
                callback(block, len(block), None, status)

        def close() -> None:
            self.closed = True

        return SimpleNamespace(start=lambda: threading.Thread(target=play).start(), close=close)


@pytest.fixture
def model(live: Any, tmp_path: Path) -> Path:
    path = tmp_path / "live.tflite"
    path.write_bytes(live.content)
    return path


@pytest.fixture(autouse=True)
def _roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole recording comes at once here, and is given up soon."""
    monkeypatch.setattr(microphone, "_BLOCKS", 1000)
    monkeypatch.setattr(microphone, "_DEAD_SECONDS", 0.3)
    monkeypatch.setattr(microphone, "_TICK_SECONDS", 0.05)


def hear(model: Path, device: Sounddevice, monkeypatch: pytest.MonkeyPatch, rule: Rule | None = None) -> list[Heard]:
    """All that is heard until the recording ends, which looks like a microphone that was pulled out."""
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    events: list[Heard] = []

    def run() -> Iterator[None]:
        with opened(Choice(model, microphone="Built-in", rule=rule)) as source:
            for event in source.events():
                events.append(event)
                yield

    with pytest.raises(ToolError, match=r"microphone: gives no sound for 0\.3 s; connect it again"):
        list(run())
    assert device.closed
    return events


def test_windows_slide_and_silence_is_not_run_as_on_a_board(
    live: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.concatenate([sound(0.6, 3), np.zeros(CAPTURE // 2, np.int32), sound(0.4, 4)])
    events = hear(model, Sounddevice(samples), monkeypatch)
    want, pauses = expected(live, samples), silent(live, samples)
    decisions = [one.decision for one in events if one.decision]
    assert [one.window for one in decisions] == list(range(len(want)))
    assert [one.window for one in decisions if one.silent] == pauses != []
    assert [one.scores for one in decisions] == [
        () if number in pauses else tuple(row) for number, row in enumerate(want.tolist())
    ]
    assert {decisions[number].said for number in pauses} == {"silence"}
    config = live.tables.config
    columns = sum(one.columns.shape[1] for one in events)
    assert columns == (samples.size // 2 - config.n_fft) // config.hop_length + 1


def test_the_rule_holds_over_silence(live: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.concatenate([sound(0.6, 3), np.zeros(CAPTURE // 2, np.int32)])
    decisions = [one.decision for one in hear(model, Sounddevice(samples), monkeypatch, Rule(128)) if one.decision]
    last_heard = next(one for one in reversed(decisions) if not one.silent)
    assert last_heard.heard in live.compiled.identity.labels
    assert decisions[-1].silent


def test_no_window_spans_lost_samples(live: Any, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, device = sound(1.2, 5), Sounddevice(sound(1.2, 5))
    device.overflow_at = 12  # of 24 blocks of 50 ms
    block = round(CAPTURE * 0.05)
    events = hear(model, device, monkeypatch)
    remarks = [one.remark for one in events if one.remark]
    assert len(remarks) == 1
    assert "were lost" in remarks[0]
    cut = next(number for number, one in enumerate(events) if one.remark)
    before = [one.decision.scores for one in events[:cut] if one.decision and one.decision.scores]
    want = expected(live, samples[: 12 * block]).tolist()
    assert [list(scores) for scores in before] == want[: len(before)]
    assert any(one.decision for one in events[cut:])


def test_another_rate_is_resampled(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = Sounddevice(np.repeat(sound(0.5, 6), 3), rates=(), default=48_000)
    events = hear(model, device, monkeypatch)
    assert device.rate == 48_000
    heard = sum(one.samples.size for one in events)
    assert abs(heard - 4000) < 300  # half a second at 8 kHz, but for the filters' memory
    assert any(one.decision for one in events)


def test_an_unknown_microphone_is_answered_with_those_there_are(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Sounddevice(sound(0.1)))
    with pytest.raises(InputError, match=r"microphone 'Moon': cannot be used: .*; choose one of: Built-in"):
        microphone.MicrophoneSource(Chain(model, None, live=True), (), "Moon")


def test_a_session_without_a_source_says_what_it_hears(
    scenelet: Callable[..., Any], model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Sounddevice(sound(1.0, 7)))
    done = scenelet("listen", model, "--seconds", "0.2")
    assert done.status == 0
    assert done.err.splitlines()[0] == (
        "note: no source was named: this computer's microphone is heard; "
        "for another, give FILE, --port of a board, or --qemu with FILE"
    )
    assert "microphone 'Built-in' at 16,000 Hz" in done.err


def test_a_missing_package_is_one_line(scenelet: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    complaint = scenelet("listen").complaint
    assert complaint.startswith("sounddevice: is not installed; pip install")
    assert complaint.endswith("; or give FILE, --port of a board, or --qemu with FILE")


def test_a_missing_library_is_one_line(
    scenelet: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    complaint = scenelet("listen", "--microphone", "0").complaint
    assert complaint.startswith("PortAudio: is not installed; install it (Debian: ")
    assert "libportaudio2" in complaint
