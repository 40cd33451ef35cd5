from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.core.notes import InputNote
from scenelet.data.audio import read_audio
from scenelet.errors import AudioError

RATE = 8000
VALUES = np.arange(-500, 500)
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT\x0e\0\0\0Lavf58.29.100\0"
PCM_END = bytes.fromhex("000000001000800000aa00389b71")


def fmt(tag: int = 1, channels: int = 1, bits: int = 16, align: int | None = None, more: bytes = b"") -> bytes:
    align = channels * bits // 8 if align is None else align
    return struct.pack("<HHIIHH", tag, channels, RATE, RATE * align, align, bits) + more


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return struct.pack("<4sI", name, len(body) if size is None else size) + body + bytes(len(body) % 2)


def wav(
    samples: bytes = VALUES.astype("<i2").tobytes(),
    *,
    form: bytes = fmt(),
    data: int | None = None,
    riff: int | None = None,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A WAV file; ``data`` and ``riff`` are lengths for its header in place of the right ones."""
    body = b"WAVE" + before + chunk(b"fmt ", form) + chunk(b"data", samples, data) + after
    return struct.pack("<4sI", b"RIFF", len(body) if riff is None else riff) + body


def rf64(samples: bytes, whole: int, data: int) -> bytes:
    sizes = chunk(b"ds64", struct.pack("<QQQI", whole, data, 0, 0))
    body = b"WAVE" + sizes + chunk(b"fmt ", fmt()) + chunk(b"data", samples, 0xFFFFFFFF)
    return struct.pack("<4sI", b"RF64", 0xFFFFFFFF) + body


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refuse(tmp_path: Path, content: bytes, *told: str) -> None:
    path = save(tmp_path / "a.wav", content)
    with pytest.raises(AudioError) as caught:
        read_audio(path, RATE)
    assert str(caught.value).startswith(f"{path}: ")
    for text in told:
        assert text in str(caught.value)


def accept(tmp_path: Path, content: bytes, noted: str = "", values: np.ndarray = VALUES) -> None:
    path = save(tmp_path / "a.wav", content)
    if noted:
        with pytest.warns(InputNote, match=noted):
            samples = read_audio(path, RATE, 16)
    else:
        samples = read_audio(path, RATE, 16)
    np.testing.assert_array_equal(samples, values)


# --- lengths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [b"", LIST])
@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0x7FFFEFDC, 0xFFFFFFD3])
def test_an_unknown_length(tmp_path: Path, length: int, after: bytes) -> None:
    whole = length + 36 if 0 < length < 0xFFFFFF00 else length
    told = "does not state how many bytes of samples; all 2,000 that"
    accept(tmp_path, wav(data=length, riff=whole, after=after), told)


def test_a_header_that_was_never_finished(tmp_path: Path) -> None:
    accept(tmp_path, wav(data=0, riff=36), "does not state how many")


@pytest.mark.parametrize(("whole", "data"), [(0, 0), (2**64 - 1, 2**64 - 1), (2**64 - 1, 0), (2**63 - 1, 2**63 - 1)])
def test_an_unknown_length_of_64_bits(tmp_path: Path, whole: int, data: int) -> None:
    accept(tmp_path, rf64(VALUES.astype("<i2").tobytes(), whole, data), "does not state how many")


def test_a_right_length_of_64_bits(tmp_path: Path) -> None:
    content = rf64(VALUES.astype("<i2").tobytes(), 2072, 2000)
    accept(tmp_path, content)
    accept(tmp_path, b"BW64" + content[4:])
    refuse(tmp_path, content[:-100], "truncated: the header states 2,000 bytes", "holds 1,900")


@pytest.mark.parametrize("more", [8, 36, 44, 1_000_000])
@pytest.mark.parametrize("whole", [2036, 2044])
def test_a_length_beyond_the_end_of_a_file_that_is_complete(tmp_path: Path, more: int, whole: int) -> None:
    data = 2000 + max(more, whole - 2035)
    accept(tmp_path, wav(data=data, riff=whole), f"states {data:,} bytes of samples; all 2,000")


def test_a_length_that_runs_over_a_later_chunk(tmp_path: Path) -> None:
    accept(tmp_path, wav(data=2078, after=LIST), "states 2,078 bytes of samples; all 2,000")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kept=st.integers(0, 2043))
def test_a_file_that_was_cut_short(tmp_path: Path, kept: int) -> None:
    refuse(tmp_path, wav()[:kept])


@pytest.mark.parametrize("missing", [2, 44, 1000, 2000])
def test_both_lengths_are_named(tmp_path: Path, missing: int) -> None:
    refuse(tmp_path, wav()[:-missing], "the header states 2,000 bytes of samples", f"holds {2000 - missing:,}")


@pytest.mark.parametrize("kept", range(len(LIST)))
def test_a_file_that_was_cut_behind_its_samples(tmp_path: Path, kept: int) -> None:
    accept(tmp_path, wav(after=LIST)[: 2044 + kept], "all samples are there")


def test_an_unknown_length_that_ends_inside_a_sample(tmp_path: Path) -> None:
    refuse(tmp_path, wav(data=0xFFFFFFFF, riff=0xFFFFFFFF)[:-1], "the last sample is cut short")


@pytest.mark.parametrize("data", [1, 2, 1998, 1000])
def test_a_length_that_is_too_small(tmp_path: Path, data: int) -> None:
    refuse(tmp_path, wav(data=data), "that are no chunk follow")


def test_bytes_that_both_lengths_leave_out(tmp_path: Path) -> None:
    refuse(tmp_path, wav(data=1000, riff=1036), "1,000 bytes that are no chunk follow the 1,000 bytes of samples")
    accept(tmp_path, wav() + bytes(512), r"zeros after the samples \(512 bytes\)")


@pytest.mark.parametrize("whole", [0, 0xFFFFFFFF])
def test_a_whole_length_that_is_unknown_is_no_harm(tmp_path: Path, whole: int) -> None:
    accept(tmp_path, wav(riff=whole))


@pytest.mark.parametrize("whole", [4, 2000, 2044, 3000])
def test_a_whole_length_that_is_wrong(tmp_path: Path, whole: int) -> None:
    accept(tmp_path, wav(riff=whole), f"a file of {whole + 8:,} bytes, it has 2,044; all samples are there")


@pytest.mark.parametrize("whole", [9 + 36, 10 + 36])
@pytest.mark.parametrize("padded", [True, False])
def test_an_odd_number_of_bytes_with_and_without_its_pad_byte(tmp_path: Path, whole: int, padded: bool) -> None:
    content = wav(b"\0\1\0" * 3, form=fmt(bits=24), riff=whole)
    if padded:
        accept(tmp_path, content, values=np.array([1, 1, 1]))
    else:
        noted = "all samples are there" if whole == 46 else ""
        accept(tmp_path, content[:-1], noted, np.array([1, 1, 1]))


def test_a_length_that_is_no_whole_number_of_samples(tmp_path: Path) -> None:
    samples = VALUES.astype("<i2").tobytes() + b"\1"
    accept(tmp_path, wav(samples), "the last 1 of 2,001 bytes of samples are no whole sample")


# --- chunks -----------------------------------------------------------------------------------------------------------


def test_chunks_around_the_samples_are_no_harm(tmp_path: Path) -> None:
    odd = chunk(b"note", b"abc")
    accept(tmp_path, wav(before=odd, after=odd + chunk(b"junk", b"")))


def test_a_wav_without_samples(tmp_path: Path) -> None:
    refuse(tmp_path, wav(b""), "no samples")
    refuse(tmp_path, wav(b"", after=LIST), "no samples")
    refuse(tmp_path, wav(b"\0"), "no samples")


def test_two_files_one_behind_the_other(tmp_path: Path) -> None:
    refuse(tmp_path, wav() + wav(), "a second 'RIFF' file follows")


def test_a_second_chunk_of_samples(tmp_path: Path) -> None:
    refuse(tmp_path, wav(after=chunk(b"data", b"\0\0")), "that are no chunk follow")


def test_a_format_behind_the_samples_or_twice(tmp_path: Path) -> None:
    samples = chunk(b"data", b"\0\0")
    refuse(tmp_path, struct.pack("<4sI4s", b"RIFF", 0, b"WAVE") + samples + chunk(b"fmt ", fmt()), "no format")
    refuse(tmp_path, wav(before=chunk(b"fmt ", fmt())), "two chunks 'fmt'")


# --- formats ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "bits", "told"),
    [
        (0x31, 0, "GSM 6.10"),
        (0x40, 4, "G.721 ADPCM"),
        (0x38, 4, "NMS ADPCM"),
        (0x11, 4, "IMA ADPCM"),
        (0x02, 4, "Microsoft ADPCM"),
        (0x55, 0, "MP3"),
        (0x99, 0, "0x0099 (unknown)"),
        (0x06, 8, "8-bit samples (A-law)"),
        (0x07, 8, "8-bit samples (u-law)"),
        (0x01, 8, "8-bit samples (PCM)"),
        (0x01, 12, "12-bit PCM"),
        (0x01, 20, "20-bit PCM"),
        (0x01, 64, "64-bit PCM"),
        (0x03, 16, "16-bit float"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, tag: int, bits: int, told: str) -> None:
    refuse(tmp_path, wav(form=fmt(tag, bits=bits, align=1)), told)


@pytest.mark.parametrize(("channels", "bits", "align"), [(1, 16, 4), (2, 16, 2), (1, 24, 4), (0, 16, 0), (2, 24, 8)])
def test_a_frame_size_that_does_not_fit_the_width(tmp_path: Path, channels: int, bits: int, align: int) -> None:
    refuse(tmp_path, wav(form=fmt(1, channels, bits, align)), f"do not fit the header's {align} bytes per frame")


def test_the_extensible_form(tmp_path: Path) -> None:
    def extended(guid: bytes) -> bytes:
        return fmt(0xFFFE, more=struct.pack("<HHI", 22, 16, 4) + guid)

    accept(tmp_path, wav(form=extended(b"\1\0" + PCM_END)))
    refuse(tmp_path, wav(form=extended(b"\x31\0" + PCM_END)), "GSM 6.10")
    refuse(tmp_path, wav(form=extended(b"\1\0\0\0" + bytes.fromhex("2107d3118644c8c1ca000000"))), "Ambisonic B-format")
    refuse(tmp_path, wav(form=fmt(0xFFFE)), "extensible")


def test_a_sample_rate_that_the_bytes_per_second_do_not_fit(tmp_path: Path) -> None:
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE + 1, 2, 16)
    accept(tmp_path, wav(form=form), "states 8,000 Hz, but 16,001 bytes per second do not fit it")


def test_thousands_of_channels_are_read_in_bounded_blocks(tmp_path: Path) -> None:
    samples = np.repeat(VALUES[:20], 20_000).astype("<i2")
    accept(tmp_path, wav(samples.tobytes(), form=fmt(channels=20_000)), values=VALUES[:20])
