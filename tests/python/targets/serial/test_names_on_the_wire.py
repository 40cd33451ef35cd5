"""Names from a model as the firmware's own C sends them and the host reads them, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import pytest
from fixtures_firmware import Small, built_once
from hypothesis import given
from hypothesis import strategies as st
from program_stream import ProgramStream

from scenelet.core import toolchain
from scenelet.targets.serial.client import Device, audio_contents, fields
from scenelet.targets.serial.framing import Input, Line, Receiver

LABELS = ("a b label=c", "100%", "Straße scores=1,2", "[x] *0000")
NAME = "m flash_bytes=1 crashes=7\nm-ready\r\n%41]"
LAYER = "conv name=other crc32=00000000\nm-ready\n"

awkward = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=200)


@pytest.fixture(scope="module")
def sent() -> Callable[[str], bytes]:
    """The firmware's line around a name: ``thing name=... after=1`` with its checksum."""
    link = toolchain.FIRMWARE / "lib" / "link"
    library = toolchain.shared_library("text", [link / "scn_text.c", link / "scn_crc.c"], [link])
    ffi = cffi.FFI()
    ffi.cdef(
        """
        typedef struct { void (*write)(const void *, size_t); uint16_t crc; } scn_text_t;
        scn_text_t scn_text_start(void (*write)(const void *, size_t));
        void scn_text_string(scn_text_t *text, const char *string);
        void scn_text_name(scn_text_t *text, const char *name);
        void scn_text_end(scn_text_t *text);
        """
    )
    text_library: Any = ffi.dlopen(str(library))
    written = bytearray()

    @ffi.callback("void(const void *, size_t)")  # type: ignore[untyped-decorator]
    def write(content: Any, count: int) -> None:
        written.extend(ffi.buffer(content, count)[:])

    def send(name: str) -> bytes:
        written.clear()
        text = ffi.new("scn_text_t *", text_library.scn_text_start(write))
        text_library.scn_text_string(text, b"thing name=")
        text_library.scn_text_name(text, name.encode())
        text_library.scn_text_string(text, b" after=1")
        text_library.scn_text_end(text)
        return bytes(written)

    return send


@given(awkward)
def test_any_name_comes_back_as_one_field_of_one_line(sent: Callable[[str], bytes], name: str) -> None:
    (event,) = Receiver().push(sent(name))
    assert isinstance(event, Line)
    assert event.checked
    assert fields(event.text) == {"name": name, "after": "1"}


def test_plain_names_are_sent_as_they_are(sent: Callable[[str], bytes]) -> None:
    assert sent("conv2d_1/Straße-A.b:c").startswith("thing name=conv2d_1/Straße-A.b:c after=1 *".encode())


@pytest.fixture(scope="module")
def hostile(small: Small) -> Path:
    """The product firmware of a model whose name, classes and layers imitate the protocol."""
    identity = replace(small.compiled.identity, name=NAME, labels=LABELS)
    steps = tuple(replace(step, name=f"{LAYER}{number}") for number, step in enumerate(small.compiled.program.steps))
    program = replace(small.compiled.program, steps=steps)
    return built_once(replace(small, compiled=replace(small.compiled, identity=identity, program=program)).sources())


@pytest.fixture
def device(hostile: Path) -> Iterator[Device]:
    with closing(ProgramStream(hostile)) as line:
        device = Device(line, ask_seconds=0.1, give_up_seconds=20)
        device.wait_ready()
        yield device


def test_a_models_names_imitate_no_field(device: Device, small: Small) -> None:
    info = device.info()
    assert info["model"] == NAME
    assert info["crashes"] == "0"
    assert info["flash_bytes"] != "1"
    assert device.labels() == list(LABELS)
    names = [f"{LAYER}{number}" for number in range(len(small.compiled.program.steps))]
    assert [step["name"] for step in device.bench()] == names
    assert device.selftest() == "pass"
    assert {row["name"] for row in device.checksums()} == set(names)
    assert "00000000" not in {row["crc32"] for row in device.checksums()}


def test_decisions_carry_the_class_whole(device: Device, small: Small) -> None:
    windows = small.windows(6)
    device.decide_by("decide 256 0 0")
    identity = small.compiled.identity
    contents = audio_contents(windows, small.tables.config)
    for one in device.decide(contents, Input.AUDIO, identity.sha256, small.tables.sha256):
        assert one.label == LABELS[int(np.argmax(one.scores))] == device.rule_labels[one.window]
    assert len(device.rule_labels) == 6


def test_the_runners_model_line_stays_one_line(hostile: Path) -> None:
    with closing(ProgramStream(hostile)) as line:
        device = Device(line, ask_seconds=0.1, give_up_seconds=20)
        device.wait_ready()
        line.write(b"profile%")
        assert device.wait_ready()[1] == "m-model-[m%20flash_bytes%3d1%20crashes%3d7%0am-ready%0d%0a%2541%5d]"
