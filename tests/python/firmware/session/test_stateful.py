"""The product around a network with state: it starts anew with every session, gap and test, and only there."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from captures import CAPTURE, expected, sound
from fixtures_firmware import LABELS, LIVE, Small, built_once
from networks import NetworkBuilder
from program_stream import ProgramStream
from streams.resources import StreamBuilder

from scenelet.compiler.pipeline import compile_model
from scenelet.frontend.tables import make_tables
from scenelet.targets.host import HostTarget
from scenelet.targets.serial.client import Device, audio_contents, capture_contents, scores_of
from scenelet.targets.serial.framing import Input
from scenelet.tflite.metadata import ModelInfo, attach


def stateful() -> Small:
    """Nine columns of 16 bands, the maps of the last two windows, and four classes."""
    shape = (1, LIVE.n_mels, LIVE.frames, 1)
    network = StreamBuilder(5, shape, quantization=(1 / 64, 0))
    features = network.convolution(network.start, 3, (3, 3), stride=(2, 2))
    flat = network.reshape(features, (1, 1, 1, int(np.prod(network.shape(features)))))
    joined = network.remembered(flat, 2)
    flat = network.reshape(joined, (1, int(np.prod(network.shape(joined)))))
    model = network.stream_model(network.fully_connected(flat, len(LABELS)))
    content = attach(model, ModelInfo(labels=LABELS, frontend=LIVE, recipe="small"))
    return Small(content, compile_model(content), make_tables(LIVE, 1 / 64, 0))


@pytest.fixture(scope="module")
def model() -> Small:
    return stateful()


@pytest.fixture(scope="module")
def program(model: Small) -> Path:
    return built_once(model.sources())


@contextmanager
def connected(program: Path) -> Iterator[tuple[Device, ProgramStream]]:
    line = ProgramStream(program)
    device = Device(line, ask_seconds=0.03, give_up_seconds=20)
    device.wait_ready()
    try:
        yield device, line
    finally:
        line.close()
    assert line.process.returncode == 0, "the sanitizers found something"


def decided(device: Device, model: Small, contents: Any, kind: Input) -> np.ndarray:
    identity = model.compiled.identity.sha256, model.tables.sha256
    return scores_of(device.decide(contents, kind, *identity), (4,))


def test_its_state_matters_and_lies_beside_the_front_ends_memory(model: Small) -> None:
    windows = np.random.default_rng(0).integers(-128, 128, (6, LIVE.n_mels * LIVE.frames)).astype(np.int8)
    with HostTarget(model.content) as host:
        whole = host.run(windows)
        alone = np.concatenate([host.run(one[None]) for one in windows])
        assert np.all(np.any(whole[2:] != alone[2:], axis=1))
        assert 0 < host.compiled.plan.state_bytes < host.compiled.plan.arena_bytes


def test_sessions_start_anew_and_keep_their_state(model: Small, program: Path) -> None:
    tensors = np.random.default_rng(1).integers(-128, 128, (12, LIVE.n_mels * LIVE.frames)).astype(np.int8)
    chance = np.random.default_rng(2)
    clips = (chance.normal(size=(8, LIVE.clip_samples)) * 2.0 ** chance.uniform(0, 14, (8, 1))).astype(np.int32)
    clips = clips.clip(-(2**15), 2**15 - 1)
    with connected(program) as (device, _), HostTarget(model.content) as host:
        assert device.selftest() == "pass"
        for _ in range(2):
            scores = decided(device, model, (one.tobytes() for one in tensors), Input.TENSOR)
            np.testing.assert_array_equal(scores, host.run(tensors))
            scores = decided(device, model, audio_contents(clips, LIVE), Input.AUDIO)
            np.testing.assert_array_equal(scores, host.classify(clips))
        assert device.selftest() == "pass"


def test_live_audio_keeps_it_from_window_to_window(model: Small, program: Path) -> None:
    samples = sound(1.5)
    with connected(program) as (device, _):
        for _ in range(2):
            contents = capture_contents(samples, CAPTURE, LIVE)
            scores = decided(device, model, contents, Input.CAPTURE)
            assert len(scores) > 10
            np.testing.assert_array_equal(scores, expected(model, samples))


def test_checksums_are_those_of_the_first_inference(model: Small, program: Path) -> None:
    tensors = np.random.default_rng(3).integers(-128, 128, (5, LIVE.n_mels * LIVE.frames)).astype(np.int8)
    with connected(program) as (device, _), HostTarget(model.content) as host:
        decided(device, model, (one.tobytes() for one in tensors), Input.TENSOR)
        lines = device.checksums()
        host.reset()
        shown = host.tensors(tensors[-1])
        assert {int(line["tensor"]) for line in lines} == set(shown) - {host.input.index}
        for line in lines:
            assert int(line["crc32"], 16) == zlib.crc32(shown[int(line["tensor"])].tobytes()), line["name"]
        again = decided(device, model, (one.tobytes() for one in tensors), Input.TENSOR)
        np.testing.assert_array_equal(again, host.run(tensors))


def test_several_inputs_come_one_after_the_other() -> None:
    network = NetworkBuilder(6, (1, 4, 5, 2))
    other = network.builder.input((1, 7), 0.05, 3)
    scores = network.fully_connected(network.convolution(network.start, 3, (3, 3)), 4)
    content = network.write(scores, network.fully_connected(other, 3))
    compiled = compile_model(content)
    chance = np.random.default_rng(4)
    inputs = [chance.integers(-128, 128, (9, *shape)).astype(np.int8) for shape in ((4, 5, 2), (7,))]
    line = ProgramStream(built_once(compiled.files()))
    device = Device(line, ask_seconds=0.03, give_up_seconds=20)
    device.wait_ready()
    try:
        contents = (one.tobytes() + two.tobytes() for one, two in zip(*inputs, strict=True))
        made = list(device.decide(contents, Input.TENSOR, compiled.identity.sha256, None))
        with HostTarget(content) as host:
            first, second = host.run_each(inputs)
        np.testing.assert_array_equal(scores_of(made, (7,)), np.hstack([first, second]))
        assert [one.label for one in made] == [f"class {int(values.argmax())}" for values in first]
    finally:
        line.close()
