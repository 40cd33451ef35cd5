"""Features, checksums and sessions by hand: what a person, or `scenelet device checksums`, asks a device for."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenelet.deploy.device_parity import compare_device, require_equal
from scenelet.errors import ModelError, ParityError, ToolError
from scenelet.frontend import native
from scenelet.targets.known_answer import noise
from scenelet.targets.serial import framing
from scenelet.targets.serial.client import audio_contents, samples_to_bytes, scores_of
from scenelet.targets.serial.framing import Input, Reason, Status


def decide(device: Any, small: Any, windows: np.ndarray) -> np.ndarray:
    contents = audio_contents(windows, small.tables.config)
    model, frontend = small.compiled.identity.sha256, small.tables.sha256
    return scores_of(device.decide(contents, Input.AUDIO, model, frontend), (4,))


def say(device: Any, command: str) -> list[str]:
    device._stream.write(f"\0{command}\n".encode())
    lines: list[str] = device._response()
    return lines


def test_features_are_those_of_the_last_window(connect: Any, small: Any) -> None:
    windows = small.windows(3, 5)
    with connect() as (device, _):
        scores = decide(device, small, windows)
        assert np.array_equal(device.features(), native.features(windows[2:], small.tables).reshape(-1))
        assert len(device.checksums()) > 2
        assert np.array_equal(decide(device, small, windows), scores), "looking changes nothing"


def test_features_half_overwritten_are_refused(connect: Any, small: Any) -> None:
    with connect() as (device, line):
        assert device.features().size == 16 * 9, "the self-test's own, after boot"
        device.open_session(Input.AUDIO, small.compiled.identity.sha256, small.tables.sha256)
        line.write(framing.data(0, bytes(240)))
        for command in (device.features, device.checksums):
            with pytest.raises(ToolError, match="no decision, or more has been heard since"):
                command()


@pytest.mark.parametrize("rate", [0, 1e-3])
def test_every_tensor_is_the_references(connect: Any, small_file: Path, rate: float) -> None:
    with connect(rate, 3) as (device, _):
        rows = compare_device(small_file, device)
    require_equal(rows, small_file)
    assert rows[0].name == "features"
    assert len(rows) > 3


def test_the_array_that_differs_is_named(connect: Any, small_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect() as (device, _):
        lines = device.checksums()
        wrong = [dict(line) for line in lines]
        wrong[1]["crc32"] = f"{int(wrong[1]['crc32'], 16) ^ 1:08x}"
        monkeypatch.setattr(device, "checksums", lambda: wrong)
        with pytest.raises(ParityError, match=f"1 of {len(lines) + 1} arrays differ .* first {wrong[1]['name']}"):
            require_equal(compare_device(small_file, device), small_file)


def test_another_model_is_not_inspected(connect: Any, small: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(small.content + bytes(16))
    with connect() as (device, _), pytest.raises(ModelError, match="the device holds another model"):
        compare_device(other, device)


def test_the_last_checksum_is_that_of_the_scores(connect: Any, small: Any) -> None:
    with connect() as (device, _):
        last = device.checksums()[-1]
    config = small.tables.config
    (scores,) = small.expected(noise(config.clip_samples, config.sample_bits)[None])
    assert int(last["crc32"], 16) == zlib.crc32(scores.tobytes())


def test_a_session_by_hand(connect: Any, small: Any) -> None:
    window = small.windows(1, 2)
    content = samples_to_bytes(window[0], 24)
    with connect() as (device, line):
        assert say(device, "stream on") == ["stream on input=audio windows=0"]
        for number, start in enumerate(range(0, len(content), 240)):
            line.write(framing.data(number, content[start : start + 240]))
        events = iter(lambda: device.event(2.0), None)
        told = next(event.text for event in events if getattr(event, "text", "").startswith("decision"))
        assert told.endswith("scores=" + ",".join(map(str, small.expected(window)[0])))
        assert say(device, "stream off") == ["stream off input=audio windows=1"]
        line.write(framing.data(99, b"abc"))
        status = next(event for event in events if isinstance(event, Status) and event.reason)
        assert status.reason == Reason.CLOSED
        assert say(device, "stream sideways") == ["e-[stream takes on or off: stream sideways]"]
