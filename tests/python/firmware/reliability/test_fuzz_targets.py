"""Every fuzz target on the kept corpus and a while beyond it; docs/RELIABILITY.md says how far it has been taken."""

from __future__ import annotations

from pathlib import Path

import fuzzing
import pytest

pytestmark = pytest.mark.sweep

RUNS = 2_000
TARGETS = fuzzing.targets()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_breaks_a_promise(target: fuzzing.Target, tmp_path: Path) -> None:
    outcome = fuzzing.run(fuzzing.build(target), target, tmp_path, f"-runs={RUNS}", "-seed=1")
    assert not outcome.failure
    assert outcome.executions >= RUNS


def test_every_target_has_a_corpus_of_small_files() -> None:
    for target in TARGETS:
        files = list((fuzzing.CORPUS / target.name).iterdir())
        assert files
        assert sum(path.stat().st_size for path in files) < 20_000
    assert {path.name for path in fuzzing.CORPUS.iterdir()} == {target.name for target in TARGETS}
    sources = {path.stem for path in fuzzing.FOLDER.glob("fuzz_*.c")} - {"fuzz_port"}
    assert sources == {f"fuzz_{target.name}" for target in TARGETS}


def test_an_overrun_would_be_found(tmp_path: Path) -> None:
    """Lines that may be longer than the receiver's buffer."""
    target = next(one for one in TARGETS if one.name == "receiver")
    long_lines = tmp_path / "long"
    long_lines.write_bytes(b"a" * 400)
    program = fuzzing.build(target, ("-DSCN_LINE_BYTES=1000u",))
    outcome = fuzzing.run(program, target, tmp_path, "-runs=1", f"-artifact_prefix={tmp_path}/")
    assert "AddressSanitizer" in outcome.failure or "runtime error: index" in outcome.failure
