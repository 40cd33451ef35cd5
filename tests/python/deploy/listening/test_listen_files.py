"""Files that this computer decides on: the board's own bits, in real time or faster."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from scenelet.deploy.listening import choose, load, pace
from scenelet.deploy.listening.chain import Chain
from scenelet.deploy.listening.choose import Choice
from scenelet.deploy.listening.columns import Columns
from scenelet.deploy.listening.events import Heard, Load, Until, level_db, pass_on
from scenelet.deploy.listening.files import FileSource
from scenelet.errors import InputError
from scenelet.evaluation.decision import SILENT, Decider, Rule
from scenelet.frontend import available
from scenelet.frontend.native import Frontend
from scenelet.targets.host import HostTarget


@pytest.fixture
def recording(small: Any, tmp_path: Path) -> Path:
    """Five windows, from soft to clipping, and a rest that is no window."""
    path = tmp_path / "five.wav"
    samples = np.append(small.windows(5, 3).reshape(-1), np.zeros(700, np.int32))
    soundfile.write(path, samples << 8, 8000, "PCM_24")
    return path


def heard(model: Path, *files: Path, rule: Rule | None = None) -> list[Heard]:
    return list(FileSource(files, Chain(model, rule), (), fast=True).events())


def test_samples_columns_and_scores_are_those_of_the_firmware(small: Any, small_file: Path, recording: Path) -> None:
    events = heard(small_file, recording)
    windows = small.windows(5, 3)
    assert np.array_equal(np.concatenate([one.samples for one in events]), windows.reshape(-1))
    columns = np.concatenate([one.columns for one in events if one.columns.size], axis=1)
    assert np.array_equal(columns, np.concatenate(list(Frontend(small.tables).features(windows)), axis=1))
    decisions = [one.decision for one in events if one.decision]
    assert [one.scores for one in decisions] == [tuple(row) for row in small.expected(windows).tolist()]
    assert [(one.file, one.window) for one in decisions] == [("five.wav", number) for number in range(5)]
    assert events[-1].seconds == pytest.approx(5 * 0.256)
    assert all(one.loads[0].share > 0 and one.loads[0].how == "measured" for one in events if one.decision)


def test_blocks_of_any_size_make_the_same_columns(small: Any) -> None:
    (window,) = small.windows(1, 8)
    for block in (1, 37, 256, 2048):
        columns = Columns(small.tables)
        columns.begin()
        made = [columns.push(window[at : at + block])[1] for at in range(0, window.size, block)]
        assert columns.complete
        assert np.array_equal(np.concatenate(made, axis=1), Frontend(small.tables).features(window[None])[0])


def test_without_a_compiler_the_specification_makes_the_columns(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (window,) = small.windows(1, 9)
    want = Frontend(small.tables).features(window[None])[0]
    monkeypatch.setattr(available.toolchain, "is_installed", lambda _: False)
    with pytest.warns(UserWarning, match="runs in NumPy"):
        columns = Columns(small.tables)
    columns.begin()
    assert columns.push(window[:2000])[1].shape == (16, 0)
    taken, made = columns.push(window[2000:])
    assert (taken, columns.complete) == (48, True)
    assert np.array_equal(made, want)


def test_the_rule_is_the_firmwares_and_begins_anew_with_every_file(
    small: Any, small_file: Path, recording: Path
) -> None:
    scores = small.expected(small.windows(5, 3))
    rule = Rule(200, 3, int(np.median(scores.max(axis=1))) + 128)
    decider = Decider(rule)
    labels = small.compiled.identity.labels
    want = ["unknown" if held is None else labels[held] for held in map(decider.push, scores)]
    said = [one.decision.heard for one in heard(small_file, recording, recording, rule=rule) if one.decision]
    assert said == [*want, *want]
    assert len(set(want)) > 1


def test_silent_windows_are_named_and_the_rule_passes_them_over(wide: Any, tmp_path: Path) -> None:
    model, path = tmp_path / "wide.tflite", tmp_path / "pause.wav"
    model.write_bytes(wide.content)
    loud = np.random.default_rng(1).normal(size=(2, 2048)) * 2.0**21
    samples = np.concatenate([np.zeros(2048), loud[0], np.zeros(2048), loud[1]]).astype(np.int32)
    soundfile.write(path, samples << 8, 32_000, "PCM_24")
    plain = [one.decision for one in heard(model, path) if one.decision]
    assert [one.silent for one in plain] == [True, False, True, False]
    assert [one.said == "silence" for one in plain] == [True, False, True, False]
    assert all(one.scores for one in plain), "over the link, and here, a silent window has scores, too"
    ruled = [one.decision.said for one in heard(model, path, rule=Rule()) if one.decision]
    decider = Decider(Rule())
    with HostTarget(wide.content) as host:
        rows = host.hear(samples.reshape(4, -1)).clip
    assert rows is not None
    assert not np.array_equal(rows[3], np.array(plain[3].scores)), "the rule takes the clip head's scores"
    held = [decider.hear_silence() if number % 2 == 0 else decider.push(row) for number, row in enumerate(rows)]
    labels = wide.compiled.identity.labels
    assert ruled == ["silence" if one == SILENT else labels[one] for one in held if one is not None]
    assert ruled[0] == "silence" != ruled[2]


def test_audio_plays_at_the_speed_of_its_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(pace.time, "sleep", sleep)
    one = pace.Pace()
    one.wait(0.25)
    now[0] += 0.1  # work
    one.wait(0.25)
    assert slept == pytest.approx([0.25, 0.15])
    now[0] += 30  # a laptop that was closed: what was missed is not hurried
    one.wait(0.25)
    assert slept[-1] == pytest.approx(0.25)
    pace.Pace(fast=True).wait(9)
    assert len(slept) == 3


def test_a_session_ends_after_its_seconds(small_file: Path, recording: Path) -> None:
    taken: list[Heard] = []

    class Taker:
        take = staticmethod(taken.append)

    with choose.opened(Choice(small_file, (recording,), repeat=True, fast=True)) as source:
        pass_on(source, [Taker()], Until(0.3))
    assert taken


Listen = Callable[..., Any]


def test_json_is_one_object_per_decision_per_line(
    scenelet: Listen, small: Any, small_file: Path, recording: Path
) -> None:
    done = scenelet("listen", small_file, recording, "--fast", "--json")
    said = [json.loads(line) for line in done.out.splitlines()]
    assert (done.status, done.err) == (0, "")
    assert [tuple(one["scores"]) for one in said] == [
        tuple(row) for row in small.expected(small.windows(5, 3)).tolist()
    ]
    assert [one["seconds"] for one in said] == pytest.approx([0.256 * number for number in range(1, 6)], abs=1e-3)
    assert {load["how"] for load in said[0]["loads"]} == {"measured", "modelled"}


def test_without_a_terminal_lines_are_those_of_device_stream(
    scenelet: Listen, small: Any, small_file: Path, recording: Path
) -> None:
    done = scenelet("listen", small_file, recording, "--fast", "--decide", "256 0 255")
    lines = done.out.splitlines()
    assert [line.split()[:3] for line in lines] == [["five.wav", str(number), "unknown"] for number in range(5)]
    assert lines[2].split()[3:] == [str(score) for score in small.expected(small.windows(5, 3))[2]]
    assert done.err == "note: files as fast as possible; this computer decides\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--port", "x", "--qemu"), "--port and --qemu: exclude each other; give one of them"),
        (("--qemu",), "--qemu: the emulated board has no microphone; name FILES, which it is sent"),
        (("--fast",), "--fast: is for files; name FILES, or leave --fast out"),
        (("--repeat", "--port", "x"), "--repeat: is for files; name FILES, or leave --repeat out"),
        (("--microphone", "a", "--port", "x"), "--microphone: is this computer's, beside another source; give one"),
        (("nothing.wav",), "nothing.wav: no such file; check the path"),
        (("a.wav", "m.tflite"), "m.tflite: is a model among the files; give one MODEL, before all FILES"),
        (("--decide", "1 2"), "rule '1 2': is not three whole numbers"),
        (("--port", "/dev/nothing"), "/dev/nothing: cannot be opened: No such file or directory; check cable"),
    ],
)
def test_a_slip_is_one_line(scenelet: Listen, words: tuple[str, ...], complaint: str) -> None:
    done = scenelet("listen", *words)
    assert done.status == 2
    assert done.complaint.startswith(complaint)


def test_a_file_that_is_no_audio_is_one_line(scenelet: Listen, small_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_text("no audio")
    done = scenelet("listen", small_file, path, "--fast", "--json")
    assert (done.status, done.out) == (2, "")
    assert done.complaint.startswith(f"{path}: ")


def test_modelled_load_of_the_product_is_kept_for_the_next_time(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cost:
        def share(self, hertz: int) -> float:
            assert hertz == 168_000_000
            return 0.07

    calls = []

    def bench(elf: Path, _config: object) -> Any:
        calls.append(elf)
        return (Cost(), Cost(), Cost()), {}

    elf = tmp_path / "a.elf"
    elf.write_bytes(b"one program")
    monkeypatch.setattr(load, "bench_costs", bench)
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path))
    first, again = (load.emulated(elf, small.tables.config) for _ in range(2))
    assert first == again
    assert (len(calls), first[0].how, first[0].share) == (1, "modelled", pytest.approx(0.21))
    elf.write_bytes(b"another")
    load.emulated(elf, small.tables.config)
    assert len(calls) == 2


def test_a_board_measures_its_own_load() -> None:
    class Board:
        clock = "external"

        def info(self) -> dict[str, str]:
            return {"clock": self.clock, "cpu_hz": "100000000", "board": "harbour"}

        def command(self, line: str) -> list[str]:
            assert line == "bench"
            return [
                "bench frontend cycles=9",
                "bench hop samples=1000 cycles=1000000 link_cycles=500000",
                "bench step=0 op=x macs=1 cycles=7 name=network",
                "bench network macs=1 cycles=20000000",
            ]

    board: Any = Board()
    (found,) = load.measured(board, 8000, 16_000)
    assert found == Load(
        pytest.approx(0.12 + 0.1), "harbour at 100 MHz", "measured",
        "front end, link and network, by the board's own cycle counter",
    )  # fmt: skip
    board.clock = "emulated"
    assert load.measured(board, 8000, 16_000) == ()


def test_the_level_is_in_decibels_of_full_scale() -> None:
    assert level_db(np.full(10, 1 << 22, np.int32), 24) == pytest.approx(-6.02, abs=0.01)
    assert level_db(np.zeros(10, np.int32), 16) == -120
    assert level_db(np.zeros(0, np.int32), 16) is None


def test_the_choice_says_what_a_model_lacks(tmp_path: Path, recording: Path) -> None:
    with pytest.raises(InputError, match="no such file"), choose.opened(Choice(tmp_path / "no.tflite", (recording,))):
        pass
