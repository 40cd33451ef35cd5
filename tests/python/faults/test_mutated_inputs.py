"""A few hundred mutated inputs of every kind; ``make fuzz`` runs many more. What the tool itself must notice."""

import os
import re
import subprocess
import sys
from pathlib import Path

import fuzz
import kinds
import pytest

from scenelet.errors import InputError

CASES = {"model": 200, "audio": 400, "recipe": 300, "table": 300, "archive": 300}


def run(kind: str, cases: int, folder: Path) -> str:
    command = [sys.executable, fuzz.__file__, kind, "0", str(cases), "--state", str(folder / "state.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", [*CASES, pytest.param("json", marks=pytest.mark.train)])
def test_mutated_inputs_are_read_or_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    cases = CASES.get(kind, 200)
    told = run(kind, cases, tmp_path)
    counts = {what: int(number) for number, what in re.findall(r"(\d+) (read|refused)", told)}
    assert sum(counts.values()) == cases
    assert min(counts.values()) > cases // 50  # else the mutators no longer come near the limit
    assert fuzz.load(tmp_path / "state.json", 0).next == cases


WRONG = (
    ("pass", "read"),
    ("raise ValueError('x')", "ValueError: x"),
    ("raise InputError('a', 'wrong')", "Finding: no remedy: a: wrong"),
    ("Path('../other').mkdir()", "outside of its folder: ['os.mkdir /"),
    ("os.mkdir('x', dir_fd=os.open('..', os.O_RDONLY))", "outside of its folder: ['os.mkdir /"),
    ("subprocess.run(['true'])", "outside of its folder: ['started true']"),
    ("pickle.loads(pickle.dumps(Path('a')))", "outside of its folder: ['pickle.find_class"),
    ("warnings.warn('odd')", "UserWarning: odd"),
    ("os.abort()", "ended with SIGABRT"),
    ("bytes(5 << 30)", "MemoryError"),
    ("while True: pass", "more than 10 s of processor time"),
    ("pass", "read"),
    ("bytearray(400 << 20)", "needs "),
    ("Path('left').touch()", "outside of its folder: ["),
)
"""What a reader may do wrong, and what is said of it; after the last ones, every case would be a finding."""


def test_the_tool_finds_what_a_reader_does_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = "\n".join(f"    if seed == {seed}:\n        {what}" for seed, (what, _) in enumerate(WRONG))
    worker = f"""
import os, pickle, subprocess, warnings
from pathlib import Path
import fuzz_worker, kinds
from scenelet.errors import InputError
def wrong(seed, folder):
{cases}
kinds.KINDS = {{'audio': kinds.Kind(wrong)}}
fuzz_worker.CPU_SECONDS, fuzz_worker.MOST_RESIDENT = 3, 300 << 20
fuzz_worker.main()
"""
    (tmp_path / "worker.py").write_text(worker)
    monkeypatch.setattr(fuzz, "WORKER", tmp_path / "worker.py")
    folders = (str(Path(fuzz.__file__).parent), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))
    tally = fuzz.Tally(0)
    while tally.next < len(WRONG):
        fuzz.run("audio", len(WRONG), tally, None)
    for seed, (what, said) in enumerate(WRONG):
        assert tally.findings.get(str(seed), "read").startswith(said), what
    assert tally.counts == {"read": 2, "found": len(WRONG) - 2}


def test_the_tool_ends_a_case_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "SECONDS", 0.5)
    monkeypatch.setattr(fuzz, "WORKER", tmp_path / "worker.py")
    (tmp_path / "worker.py").write_text("import time; print('[7]', flush=True); time.sleep(60)")
    tally = fuzz.Tally(7)
    fuzz.run("audio", 8, tally, None)
    assert tally.findings == {"7": "more than 0.5 s"}


def test_names_that_leave_their_quotes_are_noticed() -> None:
    kinds.require_plain_c("a.c", '/* layer a */ static const char *name = "a\\"b\\\\";\n#include "a.h"\n')
    for text in ('"a" b"', "/* a */ b */ `", "$", 'int a = 1; "', "é"):
        with pytest.raises(kinds.Finding):
            kinds.require_plain_c("a.c", text)


def test_a_message_of_two_lines_is_noticed() -> None:
    kinds.require_one_line(str(InputError("a\nb.wav", "is\ndamaged\r", "copy it")))
    with pytest.raises(kinds.Finding):
        kinds.require_one_line("first\nsecond line")
