"""Boards that decide: files streamed to them, their own microphone, and boards that go away."""

from __future__ import annotations

import binascii
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from captures import expected, microphone_file, silent, sound
from fixtures_firmware import LABELS
from program_stream import ProgramStream

from scenelet.deploy.listen import listen
from scenelet.deploy.listening import choose
from scenelet.deploy.listening.board import StreamSource
from scenelet.deploy.listening.choose import Choice, opened
from scenelet.deploy.listening.events import Heard
from scenelet.deploy.listening.model import known_model
from scenelet.errors import InputError, ModelError, ToolError
from scenelet.evaluation.decision import Rule
from scenelet.frontend.native import Frontend
from scenelet.targets.serial import live as live_lines
from scenelet.targets.serial.client import Device


@pytest.fixture
def files(small: Any, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.wav" for name in "ab"]
    for number, path in enumerate(paths):
        soundfile.write(path, small.windows(3, number).reshape(-1) << 8, 8000, "PCM_24")
    return paths


@contextmanager
def board(program: Path, monkeypatch: pytest.MonkeyPatch, microphone: Path | None = None) -> Iterator[ProgramStream]:
    """The firmware on this computer, as what every port leads to."""
    stream = ProgramStream(program, microphone)
    Device(stream, give_up_seconds=20).wait_ready()
    monkeypatch.setattr(choose, "open_port", lambda _: stream)
    try:
        yield stream
    finally:
        if stream.process.poll() is None:
            stream.process.kill()
            stream.process.wait()


def test_decisions_are_those_of_device_stream(
    program: Path, small: Any, small_file: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = Rule(100, 0, 130)
    with board(program, monkeypatch), opened(Choice(small_file, tuple(files), "p", rule=rule, fast=True)) as source:
        events = list(source.events())
        assert source.about.source == "files as fast as it takes them, streamed to host at p, which decides"
    with board(program, monkeypatch) as line:
        device = Device(line, give_up_seconds=20)
        device.decide_by(rule.command)
        want = list(listen(device, files, "p"))
    assert [one.decision for one in events if one.decision] == want
    assert len(want) == 6
    windows = np.concatenate([small.windows(3, number) for number in range(2)])
    assert np.array_equal(np.concatenate([one.samples for one in events]), windows.reshape(-1))
    columns = np.concatenate([one.columns for one in events if one.columns.size], axis=1)
    assert np.array_equal(columns, np.concatenate(list(Frontend(small.tables).features(windows)), axis=1))


def test_without_the_boards_model_there_is_no_spectrogram_but_all_else(
    program: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with board(program, monkeypatch), opened(Choice(files=tuple(files), port="p", fast=True)) as source:
        assert source.about.labels == LABELS
        assert (source.about.bands, source.about.sample_rate) == ((), 8000)
        assert source.about.spectrogram.startswith("none: name the board's model")
        events = list(source.events())
    assert sum(one.decision is not None for one in events) == 6
    assert not any(one.columns.size for one in events)


def test_a_model_that_was_named_must_be_the_boards(
    program: Path, small: Any, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(small.content + bytes(16))
    with (
        board(program, monkeypatch),
        pytest.raises(ModelError, match="holds another model"),
        opened(Choice(other, tuple(files), "p")),
    ):
        pass
    with pytest.raises(ModelError, match="holds another model"):
        known_model({"model_sha256": "0", "frontend_sha256": "0"}, other, chosen=True)


def test_who_leaves_early_leaves_no_thread(
    program: Path, small_file: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    choice = Choice(small_file, tuple(files), "p", repeat=True)
    with board(program, monkeypatch), opened(choice) as source:
        events = source.events()
        while not next(events).samples.size:
            pass
        begun = set(threading.enumerate()) - before
        assert len(begun) == 1
    assert not begun & set(threading.enumerate())


def test_a_board_that_dies_is_one_clear_line(
    program: Path, small_file: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = Choice(small_file, tuple(files), "p", repeat=True, fast=True)
    with board(program, monkeypatch) as line, opened(choice) as source:
        events = source.events()
        while next(events).decision is None:
            pass
        line.process.kill()
        with pytest.raises(ToolError, match=r"^device: [^\n]*$"):
            list(events)


@contextmanager
def cable(program: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """A serial port with the firmware at its other end; yields its name, and what pulls the cable."""
    master, slave = pty.openpty()
    for end in (master, slave):
        tty.setraw(end)
    stream, pulled = ProgramStream(program), threading.Event()

    def pass_on() -> None:
        while not pulled.is_set():
            if select.select([master], [], [], 0.01)[0]:
                stream.write(os.read(master, 65_536))
            os.write(master, stream.read(0.01))

    thread = threading.Thread(target=pass_on)
    thread.start()

    def pull() -> None:
        if not pulled.is_set():
            pulled.set()
            thread.join()
            os.close(master)

    name = os.ttyname(slave)
    os.close(slave)
    with open(name, "rb", buffering=0):  # between two users, the port stays what it is
        try:
            yield name, pull
        finally:
            pull()
            stream.close()


@pytest.mark.parametrize("fast", [True, False])
def test_a_pulled_cable_is_one_clear_line_that_names_the_port(
    program: Path, small_file: Path, files: list[Path], fast: bool
) -> None:
    with cable(program) as (name, pull):
        choice = Choice(small_file, tuple(files), name, repeat=True, fast=fast, seconds=20)
        with opened(choice) as source:
            events = source.events()
            while next(events).decision is None:
                pass
            pull()
            with pytest.raises(ToolError, match=f"^{name}: [^\n]*; connect the board again$"):
                list(events)


def own_microphone(
    program: Path, samples: np.ndarray, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> tuple[list[Heard], Any]:
    """What a board's microphone hears, until it has decided ``count`` times and told its load."""
    monkeypatch.setattr(live_lines, "_ASK_SECONDS", 0.05)
    file = microphone_file(folder, samples)
    events: list[Heard] = []
    with board(program, monkeypatch, file), opened(Choice(model, port="p", seconds=20)) as source:
        for heard in source.events():
            events.append(heard)
            if sum(one.decision is not None for one in events) == count and any(one.loads for one in events):
                break
        return events, source.about


def test_the_microphone_of_a_board_is_heard(
    live_program: Path, live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "live.tflite"
    model.write_bytes(live.content)
    samples = np.concatenate([sound(0.5, 30), np.zeros(8000, np.int32), sound(0.3, 31)])
    samples = samples[: samples.size // 64 * 64]
    want, pauses = expected(live, samples).tolist(), silent(live, samples)
    events, about = own_microphone(live_program, samples, model, tmp_path, monkeypatch, len(want))
    decisions = [one.decision for one in events if one.decision]
    assert [one.window for one in decisions] == list(range(len(want)))
    assert [list(one.scores) for one in decisions] == [[] if n in pauses else row for n, row in enumerate(want)]
    assert [one.window for one in decisions if one.silent] == pauses != []
    assert 0 < events[-1].seconds < 60
    (load,) = next(one.loads for one in events if one.loads)
    assert (load.how, load.of) == ("emulated", "the emulated processor")
    assert about.labels == live.compiled.identity.labels
    assert about.spectrogram == "none: the samples of its microphone stay on the board"


def test_a_board_without_a_microphone_says_so(program: Path, small_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Device.info
    monkeypatch.setattr(Device, "info", lambda self: known(self) | {"microphone": "none"})
    complaint = "p: the board has no microphone; name FILES, which it is sent"
    with board(program, monkeypatch), pytest.raises(InputError, match=complaint), opened(Choice(small_file, port="p")):
        pass


class Mute:
    """A line on which a board answers ``listen on`` and then says what a test wants."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.written = list(lines), b""

    def read(self, seconds: float) -> bytes:
        time.sleep(min(seconds, 0.01))
        return f"{self.lines.pop(0)}\r\n".encode() if self.lines else b""

    def write(self, content: bytes) -> None:
        self.written += content

    def close(self) -> None:
        pass


def checked(text: str) -> str:
    return f"{text} *{binascii.crc_hqx(text.encode(), 0xFFFF):04x}"


LISTENING = (checked("listen on microphone=i2s rate=16000"), "m-ready")


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ((), r"p: says nothing for 0\.3 s; check its cable, and reset it"),
        ((checked("scenelet version=1 board=b clock=external cpu_hz=1"),), "p: has restarted; ask it why"),
        (("e-fault exception=0x3 pc=0x0 cause=watchdog",), "p: crashed: watchdog; ask it why"),
    ],
)
def test_a_board_that_falls_silent_or_crashes_is_one_line(lines: tuple[str, ...], complaint: str) -> None:
    device = Device(Mute(*LISTENING, *lines), ask_seconds=0.1, give_up_seconds=1)
    with pytest.raises(ToolError, match=complaint):
        list(live_lines.overhear(device, 0.3, "p"))


def test_quiet_windows_gaps_and_errors_are_told() -> None:
    line = Mute(
        *LISTENING,
        checked("quiet window=0 loudness=12"),
        checked("gap window=1 overruns=1 lost_blocks=2"),
        "e-[the microphone does not start again: listen]",
        checked("heard window=1 label=sea%20waves"),
        checked("decision window=1 label=rain scores=1,-2"),
        "silent window=2",  # without its checksum: damaged, and not believed
    )
    told: list[live_lines.Told] = []
    with suppress(ToolError):  # it says nothing more in the end
        for one in live_lines.overhear(Device(line, ask_seconds=0.1), 0.3, "p"):
            told.append(one)
    assert [one.remark.split()[0] for one in told if one.remark] == ["gap", "e-[the"]
    windows = [one.window for one in told if one.window]
    assert [(one.window, one.quiet, one.heard, one.scores) for one in windows] == [
        (0, True, None, ()), (1, False, "sea waves", (1, -2)),
    ]  # fmt: skip


def test_a_board_is_told_to_stop_listening() -> None:
    line = Mute()
    live_lines.hush(Device(line))
    assert line.written == b"\0listen off\n"


def test_the_stream_is_left_while_a_board_says_nothing(
    program: Path, small: Any, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with board(program, monkeypatch) as line:
        known = known_model(Device(line, give_up_seconds=20).info(), _file(small, files), chosen=True)
        with StreamSource(line, "p", files, known, None, (), fast=True, seconds=60) as source:
            monkeypatch.setattr(line, "read", lambda seconds: time.sleep(min(seconds, 0.05)) or b"")
            events = source.events()
            assert next(events).decision is None, "it says that nothing has come"
            began = time.monotonic()
        assert time.monotonic() - began < 3


def _file(small: Any, files: list[Path]) -> Path:
    path = files[0].with_name("small.tflite")
    path.write_bytes(small.content)
    return path
