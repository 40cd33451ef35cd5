"""Anything at all on the wire, into the product firmware with address and undefined-behaviour sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.targets.serial import framing
from scenelet.targets.serial.framing import Line, Receiver

BYTES = 16 * 9
_BOUNDED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

numbers = st.one_of(st.integers(0, 3), st.integers(BYTES - 1, BYTES + 1)).map(str)
words = st.sampled_from(
    [
        *(
            "info",
            "labels",
            "last",
            "features",
            "checksums",
            "selftest",
            "help",
            "name",
            "profile",
            "timestamp",
            "results",
        ),
        *("db", "load", "print", "infer", "decide", "off", "stream", "on", "db%load", "00", "ff0", "0g", "-1", "1e3"),
        *("4294967296", "99999999999999999999"),
    ]
)
# Numbers are small: `infer 99999` is a legal way to be busy for minutes.
commands = st.one_of(
    st.lists(st.one_of(words, numbers), min_size=1, max_size=5).map(" ".join),
    st.integers(0, 100).map(lambda count: "db " + "5a" * count),
    st.just(f"db load {BYTES}"),
    st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=120),
)
lines = st.tuples(commands, st.sampled_from(["\r\n", "\n", "%", "\0", ""])).map(
    lambda pair: "".join(pair).encode("latin-1")
)


def frames(model_sha256: str, frontend_sha256: str) -> st.SearchStrategy[bytes]:
    """Frames that are right, frames whose body is anything, and such with bytes changed on the way."""
    right = st.one_of(
        st.builds(
            framing.start,
            st.integers(0, 255),
            st.sampled_from(framing.Input),
            st.just(model_sha256),
            st.just(frontend_sha256),
        ),
        st.builds(framing.data, st.integers(0, 40), st.binary(min_size=1, max_size=240)),
        st.builds(framing.data, st.integers(0, 3), st.just(bytes(240))),
        st.builds(framing.poll, st.integers(0, 255)),
    )
    any_body = st.binary(min_size=1, max_size=250).map(framing.encode)
    whole = st.one_of(right, any_body)

    def spoil(frame: bytes, at: int, byte: int) -> bytes:
        spoilt = bytearray(frame)
        spoilt[at % len(spoilt)] = byte
        return bytes(spoilt)

    return st.one_of(whole, st.builds(spoil, whole, st.integers(0, 255), st.integers(0, 255)), st.binary(max_size=600))


def answer(program: Path, content: bytes) -> bytes:
    """Everything that the firmware says to these bytes; it must end well, and with no sanitizer's complaint."""
    done = subprocess.run([program], input=content, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


@_BOUNDED
@given(st.data())
def test_nothing_on_the_wire_harms_or_deafens_the_device(program: Path, small: Any, data: st.DataObject) -> None:
    frame = frames(small.compiled.identity.sha256, small.tables.sha256)
    content = b"".join(data.draw(st.lists(st.one_of(frame, lines), max_size=30)))
    events = list(Receiver().push(answer(program, content + b"\0stream off\nname\n\0" + framing.poll(77))))
    assert isinstance(events[-1], framing.Status)
    assert events[-1].poll == 77
    assert [event.text for event in events if isinstance(event, Line)][-2:] == ["m-name-dut-[scenelet]", "m-ready"]


malformed = st.one_of(
    st.text("0123456789abcdefABCDEF", min_size=1, max_size=75).filter(lambda digits: len(digits) % 2),
    st.text("0123456789abcdefg -", min_size=1, max_size=75).filter(lambda digits: "g" in digits or "-" in digits),
    st.just("00" * 70),
    st.integers(BYTES + 1, 2**40).map(lambda count: f"load {count}"),
    st.integers(-(2**40), BYTES - 1).map(lambda count: f"load {count}"),
    st.integers(BYTES + 1, 2**40).map(lambda count: f"print {count}"),
)


@_BOUNDED
@given(st.binary(min_size=1, max_size=32), st.lists(malformed, min_size=1, max_size=12))
def test_what_is_malformed_stores_nothing(program: Path, kept: bytes, wrong: list[str]) -> None:
    begin = f"db load {BYTES}%db {kept.hex()}%db print%"
    said = answer(program, (begin + "".join(f"db {words}%" for words in wrong) + "db print%").encode())
    told = [event.text for event in Receiver().push(said) if isinstance(event, Line) and not event.checked]
    told = told[told.index(f"m-[Expecting {BYTES} bytes]") + 1 :]
    printed = ["m-buffer-" + kept[at : at + 8].hex("-") for at in range(0, len(kept), 8)]
    complaints = [text for text in told if text.startswith("e-[")]
    assert [text for text in told if text.startswith("m-buffer-")] == 2 * printed
    assert len(complaints) == len(wrong)
