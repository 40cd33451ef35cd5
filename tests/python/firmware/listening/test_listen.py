"""From the microphone's interrupt to the main loop: nothing lost, nothing doubled, and gaps that are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cffi import FFI
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.core import toolchain
from scenelet.frontend.decimator import CIC_RATE, cic, decimate

PROBE = Path(__file__).with_name("listen_probe.c")
BLOCK = 256  # halfwords
RING = 4096
CDEF = """
int probe_start(int, int);
int probe_restart(void);
uint32_t probe_started(void);
void probe_wait(uint32_t);
void probe_block(const uint16_t *);
size_t probe_take(uint8_t *, size_t);
int probe_idle(void);
int probe_gap(void);
uint32_t probe_overruns(void);
uint32_t probe_lost_blocks(void);
"""


class Way:
    """The C between interrupt and main loop, for a front end of so many bits."""

    def __init__(self, library: Any, ffi: FFI, bits: int) -> None:
        self.c, self._ffi, self._bytes = library, ffi, bits // 8

    def block(self, halfwords: np.ndarray | None) -> None:
        self.c.probe_block(self._ffi.NULL if halfwords is None else self._ffi.from_buffer("uint16_t[]", halfwords))

    def take(self, count: int) -> np.ndarray:
        out = np.empty(count, np.uint8)
        taken = self.c.probe_take(self._ffi.from_buffer("uint8_t[]", out), count)
        padded = np.zeros((taken // self._bytes, 4), np.uint8)
        padded[:, 4 - self._bytes :] = out[:taken].reshape(-1, self._bytes)
        return padded.view("<i4").ravel() >> (32 - 8 * self._bytes)

    def drain(self) -> np.ndarray:
        return self.take(RING)

    @property
    def counts(self) -> tuple[int, int]:
        return self.c.probe_overruns(), self.c.probe_lost_blocks()


@pytest.fixture(scope="module")
def way(live: Any, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """16 bits at 8 kHz behind a microphone at 16 kHz."""
    return built(live, tmp_path_factory.mktemp("generated"))


def built(model: Any, folder: Path) -> Way:
    for name, text in model.sources().items():
        (folder / name).write_text(text, "utf-8")
    firmware = toolchain.FIRMWARE
    libraries = [firmware / "lib" / name for name in ("classifier", "frontend", "link", "port")]
    includes = [*toolchain.engine_folders(), *libraries, firmware / "src", firmware / "boards" / "host", folder]
    frontend = [firmware / "lib" / "frontend" / f"scn_{name}.c" for name in ("capture", "cic", "decimator")]
    sources = [PROBE, firmware / "src" / "scn_listen.c", firmware / "lib" / "link" / "scn_ring.c", *frontend]
    ffi = FFI()
    ffi.cdef(CDEF)
    flags = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
    library = ffi.dlopen(str(toolchain.shared_library("listen", sources, includes, flags)))
    return Way(library, ffi, model.tables.config.sample_bits)


def frames(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of I2S, and the 24-bit samples in them."""
    blocks = np.random.default_rng(seed).integers(0, 1 << 16, (count, BLOCK)).astype(np.uint16)
    left = blocks.reshape(-1, 4)[:, :2].astype(np.uint32)
    return blocks, ((left[:, 0] << 16 | left[:, 1]).view(np.int32) >> 8).astype(np.int32)


def specified(samples: np.ndarray, rate_in: int = 16_000) -> np.ndarray:
    """24 bits at the microphone to 16 bits at 8 kHz."""
    low = decimate(samples, rate_in, 8000).astype(np.int64)
    return np.clip((low + 128) >> 8, -32768, 32767).astype(np.int32)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=30), st.integers(0, 99))
def test_whoever_takes_how_much_gets_every_sample_once(way: Way, wanted: list[int], seed: int) -> None:
    blocks, samples = frames(len(wanted), seed)
    assert way.c.probe_start(0, 1)
    assert way.c.probe_idle()
    pieces = []
    for block, count in zip(blocks, wanted, strict=True):
        way.block(block)
        pieces.append(way.take(count))
    while not way.c.probe_idle():
        pieces.append(way.take(97))
    assert np.array_equal(np.concatenate(pieces), specified(samples))
    assert not way.c.probe_gap()


def test_pdm_goes_through_the_rate_that_training_heard(way: Way) -> None:
    words = np.random.default_rng(1).integers(0, 1 << 16, (40, BLOCK)).astype(np.uint16)
    assert way.c.probe_start(1, 1)
    pieces = []
    for block in words:
        way.block(block)
        pieces.append(way.drain())
    sixteen = decimate(cic(words.ravel()), CIC_RATE, 16_000)
    assert np.array_equal(np.concatenate(pieces), specified(sixteen))


def test_a_full_ring_is_a_gap_and_what_came_before_it_is_whole(way: Way) -> None:
    blocks, samples = frames(100, 2)
    assert way.c.probe_start(0, 1)
    overruns, lost = way.counts
    for block in blocks:
        way.block(block)
    assert way.c.probe_gap()
    assert way.counts[0] == overruns + 1, "one overrun, however many blocks it costs"
    before = way.drain()
    whole = before.size * 2 // 64
    assert RING - 512 < before.size * 2 <= RING, "the ring was used"
    assert np.array_equal(before, specified(samples[: 64 * whole]))
    assert way.counts[1] - lost == 100 - whole
    assert not way.c.probe_idle(), "the gap itself is work"
    way.block(blocks[0])
    assert way.drain().size == 0, "nothing is heard until it is started again"
    assert way.c.probe_start(0, 1)
    for block in blocks[50:60]:
        way.block(block)
    assert np.array_equal(way.drain(), specified(samples[64 * 50 : 64 * 60])), "from silence on"
    assert not way.c.probe_gap()


def test_a_block_that_the_driver_lost_is_a_gap(way: Way) -> None:
    blocks, samples = frames(3, 3)
    assert way.c.probe_start(0, 1)
    overruns, _ = way.counts
    way.block(blocks[0])
    way.block(None)
    assert way.c.probe_gap()
    assert way.counts[0] == overruns + 1
    assert np.array_equal(way.drain(), specified(samples[:64]))


def test_a_microphone_that_does_not_start_is_not_heard(way: Way) -> None:
    assert not way.c.probe_start(0, 0)
    assert way.c.probe_idle()
    assert way.drain().size == 0


def test_a_stuck_stream_is_a_gap_and_is_given_up_after_five_in_a_row(way: Way) -> None:
    """DMA that never delivers: every quarter of a second it is told and started again."""
    blocks, samples = frames(2, 5)
    assert way.c.probe_start(0, 1)
    overruns, _ = way.counts
    started = way.c.probe_started()
    way.c.probe_wait(250)
    assert not way.c.probe_gap()
    for turn in range(4):
        way.c.probe_wait(251)
        assert way.c.probe_gap()
        assert way.counts[0] == overruns + turn + 1
        assert way.c.probe_restart()
    assert way.c.probe_started() == started + 4
    way.c.probe_wait(251)
    assert way.c.probe_gap()
    assert not way.c.probe_restart(), "given up"
    assert way.c.probe_idle()
    assert way.c.probe_start(0, 1), "but a command starts it"
    way.block(blocks[0])
    assert not way.c.probe_gap()
    assert np.array_equal(way.drain(), specified(samples[:64]))


def test_a_block_in_time_ends_the_count_of_silent_starts(way: Way) -> None:
    blocks, _ = frames(12, 6)
    assert way.c.probe_start(0, 1)
    for block in blocks:
        way.block(block)
        assert not way.c.probe_gap()
        way.c.probe_wait(251)
        assert way.c.probe_gap()
        assert way.c.probe_restart()


def test_at_32_khz_samples_come_as_they_are_and_a_third_of_a_second_waits(
    wide: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    way = built(wide, tmp_path_factory.mktemp("wide"))
    blocks, samples = frames(160, 4)  # 10,240 samples: 0.32 s
    assert way.c.probe_start(0, 1)
    for block in blocks:
        way.block(block)
    assert not way.c.probe_gap()
    assert np.array_equal(way.take(1 << 16), samples)
    assert not way.c.probe_start(1, 1), "no filters lead from PDM to 32 kHz"
