from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.data.audio import read_audio
from scenelet.data.ogg import checksum
from scenelet.errors import AudioError

RATE = 48000


@pytest.fixture(scope="module", params=["VORBIS", "OPUS"])
def good(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("ogg") / "a.ogg"
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, 200_000)
    soundfile.write(path, noise, RATE, format="OGG", subtype=request.param)
    return path.read_bytes()


def pages(content: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(content):
        segments = content[at + 26]
        end = at + 27 + segments + sum(content[at + 27 : at + 27 + segments])
        found.append(content[at:end])
        at = end
    assert len(found) > 6
    return found


def sealed(page: bytes, at: int, field: bytes) -> bytes:
    """The page with another field and a right checksum."""
    page = page[:at] + field + page[at + len(field) :]
    blank = page[:22] + bytes(4) + page[26:]
    return page[:22] + struct.pack("<I", checksum(blank)) + page[26:]


def refuse(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=told) as caught:
        read_audio(path, RATE)
    assert str(caught.value).startswith(f"{path}: ")


def test_the_checksum_is_that_of_the_specification() -> None:
    # Bit by bit, as RFC 3533 describes it.
    content, state = bytes(range(7, 250)), 0
    for octet in content:
        state ^= octet << 24
        for _ in range(8):
            state = (state << 1 ^ (0x04C11DB7 if state >> 31 else 0)) & 0xFFFFFFFF
    assert checksum(content) == state


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_flipped_bit_is_noticed(good: bytes, tmp_path: Path, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(good) - 1))
    damaged = bytearray(good)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    refuse(tmp_path, bytes(damaged), "damaged|truncated|not readable")


def test_every_missing_page_is_noticed(good: bytes, tmp_path: Path) -> None:
    found = pages(good)
    for number in range(1, len(found) - 1):
        refuse(tmp_path, b"".join(found[:number] + found[number + 1 :]), "pages of the Ogg stream are missing")
    refuse(tmp_path, b"".join(found[1:]), "does not begin with its first page")
    refuse(tmp_path, b"".join(found[:-1]), "does not end with its last page")


def test_pages_out_of_order_or_twice_are_noticed(good: bytes, tmp_path: Path) -> None:
    found = pages(good)
    refuse(tmp_path, b"".join([*found[:3], found[4], found[3], *found[5:]]), "page 4 follows page 2")
    refuse(tmp_path, b"".join([*found[:4], found[3], *found[4:]]), "page 3 follows page 3")


def test_a_stream_without_the_mark_of_its_last_page(good: bytes, tmp_path: Path) -> None:
    found = pages(good)
    refuse(tmp_path, b"".join([*found[:-1], sealed(found[-1], 5, b"\0")]), "does not end with its last page")


def test_a_last_page_that_states_too_many_samples(good: bytes, tmp_path: Path) -> None:
    found = pages(good)
    longer = struct.pack("<q", struct.unpack_from("<q", found[-1], 6)[0] + 50_000)
    refuse(
        tmp_path, b"".join([*found[:-1], sealed(found[-1], 6, longer)]), "state 250,000 samples, the decoder gives 200,"
    )


def test_a_last_page_that_states_too_few_samples(good: bytes, tmp_path: Path) -> None:
    found = pages(good)
    refuse(tmp_path, b"".join([*found[:-1], sealed(found[-1], 6, struct.pack("<q", 60_000))]), "goes back in time")


def test_chained_streams_are_refused_by_name(good: bytes, tmp_path: Path) -> None:
    refuse(tmp_path, good + good, "several Ogg streams, one after the other")


def test_interleaved_streams_are_refused_by_name(good: bytes, tmp_path: Path) -> None:
    found = pages(good)
    refuse(tmp_path, b"".join([found[0], sealed(found[0], 14, b"\1\2\3\4"), *found[1:]]), "interleaved")


def test_bytes_behind_the_last_page_are_refused(good: bytes, tmp_path: Path) -> None:
    refuse(tmp_path, good + b"\0", "no Ogg page at byte")


@pytest.mark.parametrize(
    ("packet", "name"),
    [(b"\x7fFLAC\1\0", "FLAC"), (b"Speex   ", "Speex"), (b"\x80theora", "Theora"), (b"what", "unknown")],
)
def test_other_codecs_are_named(tmp_path: Path, packet: bytes, name: str) -> None:
    page = struct.pack("<4sBBqIIIBB", b"OggS", 0, 2, 0, 7, 0, 0, 1, len(packet)) + packet
    refuse(tmp_path, sealed(page, 4, b"\0"), f"{name}.* are not read")
