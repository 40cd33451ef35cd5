"""Audio over a line that is spoilt on purpose: the short form of what tools/experiments/stream.py does for an hour."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from scenelet.config.recipe import FrontendConfig
from scenelet.data.datasets.registry import open_dataset
from scenelet.deploy.soak import endless_windows, soak
from scenelet.errors import DatasetError, ModelError, ParityError
from scenelet.targets.emulator.serial_port import SerialBoard
from scenelet.targets.serial import framing
from scenelet.targets.serial.client import Device
from scenelet.targets.serial.fault_injection import FaultyStream, chunk_ends


@pytest.fixture(scope="module")
def recordings(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file a class: 2.5 windows each, so that the next window begins in one file and ends in the next."""
    root: Path = tmp_path_factory.mktemp("recordings")
    for seed, label in enumerate(small.compiled.identity.labels):
        (root / label).mkdir()
        samples = small.windows(5, seed).reshape(-1)[: small.tables.config.clip_samples * 5 // 2]
        soundfile.write(root / label / "a-1.wav", samples << 8, 8000, "PCM_24")
    return root


@pytest.mark.qemu
def test_twenty_seconds_through_a_spoilt_line(
    product_elf: Path, small_file: Path, recordings: Path, small: Any
) -> None:
    """Through QEMU's serial port: every score is the host's, and no byte is lost, though every 50th frame is spoilt."""
    seconds = 20.48  # 80 windows of 26 frames
    with SerialBoard(product_elf) as board:
        Device(board).wait_ready()
        result = soak(small_file, open_dataset(recordings), "all", board, audio_seconds=seconds, one_in=50, seed=1)
    result.require(small_file)
    assert (result.windows, result.mismatches, result.dropped_bytes) == (80, 0, 0)
    assert result.audio_bytes == 80 * small.tables.config.clip_samples * 3
    assert result.to_device.corrupted >= 20, "one in fifty of 2,080 frames and of those sent again"
    assert result.from_device.corrupted >= 3
    assert result.complaints >= 10
    assert result.resent > result.to_device.corrupted


@pytest.mark.qemu
def test_an_unspoilt_line_sends_nothing_again(product_elf: Path, small_file: Path, recordings: Path) -> None:
    with SerialBoard(product_elf) as board:
        Device(board).wait_ready()
        result = soak(small_file, open_dataset(recordings), "all", board, audio_seconds=3)
    assert (result.mismatches, result.to_device.corrupted, result.complaints, result.garbled) == (0, 0, 0, 0)


def test_a_device_that_decides_otherwise_is_found(connect: Any, small_file: Path, recordings: Path) -> None:
    """A board whose decisions reach the host with a changed score, and a checksum that holds all the same."""

    class Lying:
        """Hands on a line or a frame at a time."""

        def __init__(self, stream: Any) -> None:
            self.stream, self.held = FaultyStream(stream, 0, 0), b""
            self.write, self.close = self.stream.write, self.stream.close

        def read(self, seconds: float) -> bytes:
            self.held = self.held or self.stream.read(seconds)
            end = next(chunk_ends(self.held), len(self.held))
            content, self.held = self.held[:end], self.held[end:]
            if not content.startswith(b"decision window=3 "):
                return content
            said = content.rpartition(b" *")[0]
            changed = said[:-1] + bytes((said[-1] ^ 1,))
            return changed + b" *%04x\r\n" % framing.crc16(changed)

    with connect() as (_, line):
        result = soak(small_file, open_dataset(recordings), "all", Lying(line), audio_seconds=2)
    assert (result.mismatches, result.windows) == (1, 8)
    with pytest.raises(ParityError, match="1 of 8 windows differ from the host's"):
        result.require(small_file)


def test_another_model_is_refused(connect: Any, small: Any, recordings: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(small.content + bytes(16))
    with connect() as (_, line), pytest.raises(ModelError, match="the device holds another model"):
        soak(other, open_dataset(recordings), "all", line, audio_seconds=1)


def test_windows_go_on_over_the_ends_of_files_and_differ_in_every_round(recordings: Path, small: Any) -> None:
    config = small.tables.config
    dataset = open_dataset(recordings)
    whole = np.concatenate([soundfile.read(clip.path, dtype="int32")[0] >> 8 for clip in dataset.split("all")])
    first, second = itertools.tee(itertools.islice(endless_windows(dataset, "all", config), 19))
    got = np.concatenate(list(first))
    length = config.clip_samples
    assert np.array_equal(got[: 10 * length], whole), "four files of 2.5 windows: ten"
    assert np.array_equal(got[10 * length :], whole[length // 3 :][: 9 * length]), "the next round begins elsewhere"
    assert all(window.shape == (length,) for window in second)


def test_a_split_without_a_window_is_refused(recordings: Path) -> None:
    config = FrontendConfig(n_fft=256, hop_length=256, n_mels=16, clip_seconds=10.0)
    with pytest.raises(DatasetError, match="holds less than one window"):
        next(endless_windows(open_dataset(recordings), "all", config))


class Loop:
    """What is written comes back."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, content: bytes) -> None:
        self.content += content

    def read(self, _seconds: float) -> bytes:
        content, self.content = self.content, b""
        return content

    def close(self) -> None:
        pass


chunks = st.one_of(
    st.binary(max_size=40).map(lambda rest: framing.encode(b"\xc0" + rest)),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=2, max_size=40).map(
        lambda text: text.encode() + b"\r\n"
    ),
)


@given(st.lists(chunks, max_size=12), st.integers(1, 30))
def test_chunks_end_where_they_were_joined_however_they_arrive(parts: list[bytes], piece: int) -> None:
    content = b"".join(parts)
    assert list(chunk_ends(content)) == list(itertools.accumulate(map(len, parts)))
    loop = Loop()
    line = FaultyStream(loop, 0, 0)
    got = b""
    for start in range(0, len(content), piece):
        loop.write(content[start : start + piece])
        got += line.read(0)
    assert got == content
    assert line.from_device.chunks == len(parts)


@given(st.lists(chunks, min_size=1, max_size=30), st.integers(0, 5))
def test_spoiling_changes_one_bit_of_a_chunk_and_is_repeatable(parts: list[bytes], seed: int) -> None:
    spoilt = []
    for _ in range(2):
        loop = Loop()
        line = FaultyStream(loop, 2, seed)
        for part in parts:
            line.write(part)
        spoilt.append(loop.content)
    assert spoilt[0] == spoilt[1]
    before, after = np.frombuffer(b"".join(parts), np.uint8), np.frombuffer(spoilt[0], np.uint8)
    assert int(np.unpackbits(before ^ after).sum()) == line.to_device.corrupted
