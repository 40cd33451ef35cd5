"""``scenelet device`` against the emulated board, over a Unix socket and over TCP."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from scenelet.cli import main
from scenelet.targets.emulator import process

pytestmark = pytest.mark.qemu

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture(scope="module")
def port(product_elf: Path) -> Iterator[str]:
    """A board whose serial port is a Unix socket; hosts come and go."""
    line = "socket,id=line,path=serial,server=on,wait=off,mux=on"  # at half the cost of a plain socket
    with process.Emulator(product_elf, ("-echr", "256", "-chardev", line, "-serial", "chardev:line")) as board:
        yield f"unix:{board.folder / 'serial'}"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command with --json; gives its status, its document and its complaint."""

    def command(*arguments: object) -> tuple[int, Any, str]:
        capfd.readouterr()
        status = main([*map(str, arguments), "--json"])
        said = capfd.readouterr()
        return status, json.loads(said.out) if said.out else None, said.err.strip()

    return command


@pytest.fixture(scope="module")
def recordings(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files of three windows a class; the first two windows of each file are the same."""
    root: Path = tmp_path_factory.mktemp("recordings")
    for number, label in enumerate(small.compiled.identity.labels):
        (root / label).mkdir()
        for name, seed in zip("xyz", range(3 * number, 3 * number + 3), strict=True):
            first, second = small.windows(2, seed)
            samples = np.concatenate([first, first, second])
            soundfile.write(root / label / f"{name}-{name}{name}.wav", samples << 8, 8000, "PCM_24")
    return root


def test_info_selftest_and_bench(port: str, run: Run, small: Any) -> None:
    status, held, _ = run("device", "info", "--port", port)
    assert (status, held["model_sha256"]) == (0, small.compiled.identity.sha256)
    assert run("device", "selftest", "--port", port)[:2] == (0, {"selftest": "pass"})
    status, bench, _ = run("device", "bench", "--port", port)
    assert status == 0
    assert [step["op"] for step in bench["steps"]] == [step.op for step in small.compiled.program.steps]
    assert bench["cycles"] == sum(step["cycles"] for step in bench["steps"]) > 0


def test_a_stream_of_files_is_decided_as_on_the_host(port: str, run: Run, small: Any, recordings: Path) -> None:
    label = small.compiled.identity.labels[0]
    files = sorted((recordings / label).iterdir())[:2]
    status, said, _ = run("device", "stream", *files, "--port", port)
    assert status == 0
    windows = np.concatenate([soundfile.read(path, dtype="int32")[0].reshape(3, -1) >> 8 for path in files])
    assert [result["scores"] for result in said["results"]] == small.expected(windows).tolist()
    assert [(result["file"], result["window"]) for result in said["results"]] == [
        (path.name, number) for path in files for number in range(3)
    ]


def test_checksums_of_a_file_and_of_the_self_test(
    port: str, run: Run, small_file: Path, recordings: Path, small: Any
) -> None:
    status, noise, _ = run("device", "checksums", small_file, "--port", port)
    assert status == 0
    assert noise["arrays"][0] == {"name": "features", "tensor": -1, "bytes": 16 * 9, "same": True}
    file = next((recordings / small.compiled.identity.labels[0]).iterdir())
    status, heard, _ = run("device", "checksums", small_file, "--port", port, "--file", file)
    assert status == 0
    assert [row["tensor"] for row in heard["arrays"]] == [row["tensor"] for row in noise["arrays"]]
    assert all(row["same"] for row in heard["arrays"])


def test_soak_spoils_what_it_says(port: str, run: Run, small_file: Path, recordings: Path) -> None:
    options = ("--port", port, "--data", recordings, "--seconds", 2, "--spoil", 30, "--seed", 2)
    status, said, _ = run("device", "soak", small_file, *options)
    assert status == 0
    assert (said["windows"], said["mismatches"], said["dropped_bytes"], said["one_in"]) == (8, 0, 0, 30)
    assert said["to_device"]["spoilt"] > 2


def evaluate(run: Run, small_file: Path, recordings: Path, port: str, journal: Path) -> tuple[int, Any, str]:
    options = ("--data", recordings, "--split", "all", "--port", port, "--journal", journal)
    return run("device", "evaluate", small_file, *options)


def test_a_data_set_goes_through_and_an_interrupted_run_goes_on(
    port: str, run: Run, small_file: Path, recordings: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "scores.jsonl"
    status, whole, _ = evaluate(run, small_file, recordings, port, journal)
    assert status == 0
    counted = {"windows": 36, "mismatches": 0, "windows_sent": 36, "windows_known": 0}
    assert {key: whole[key] for key in counted} == counted
    assert whole["audio_bytes"] == 36 * 2048 * 3

    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:21]) + lines[21][:30])  # killed while it wrote the 21st window
    status, rest, _ = evaluate(run, small_file, recordings, port, journal)
    assert (status, rest["windows_sent"], rest["windows_known"]) == (0, 16, 20)
    assert rest["accuracy"] == whole["accuracy"]
    assert len(journal.read_bytes().splitlines()) == 37


def test_scores_that_are_not_the_hosts_are_found(
    port: str, run: Run, small_file: Path, recordings: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "scores.jsonl"
    evaluate(run, small_file, recordings, port, journal)
    lines = journal.read_text().splitlines()
    row = json.loads(lines[9])
    row["scores"][2] ^= 1
    lines[9] = json.dumps(row)
    journal.write_text("\n".join([*lines, ""]))
    status, said, told = evaluate(run, small_file, recordings, port, journal)
    assert (status, said["mismatches"]) == (1, 1)
    assert "1 of 36 windows differ from the host's" in told
    assert str(row["scores"]) in told


def test_another_model_is_refused_with_both_hashes(
    port: str, run: Run, recordings: Path, small: Any, tmp_path: Path
) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(small.content + bytes(16))
    status, _, told = evaluate(run, other, recordings, port, tmp_path / "scores.jsonl")
    assert status == 2
    assert small.compiled.identity.sha256 in told
    assert len({word.strip(",;") for word in told.split() if len(word.strip(",;")) == 64}) == 2
    assert not (tmp_path / "scores.jsonl").exists()


def test_another_models_journal_is_refused(
    port: str, run: Run, small_file: Path, recordings: Path, tmp_path: Path
) -> None:
    journal = tmp_path / "scores.jsonl"
    evaluate(run, small_file, recordings, port, journal)
    held = journal.read_text().replace('"model_sha256": "', '"model_sha256": "00')
    journal.write_text(held)
    status, _, told = evaluate(run, small_file, recordings, port, journal)
    assert status == 2
    assert "holds scores of model 00" in told
    assert journal.read_text() == held
    journal.write_text("something else\n")
    assert "is not a file of device scores" in evaluate(run, small_file, recordings, port, journal)[2]


def test_a_tcp_port_that_never_answers_is_given_up(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the connection and says nothing
        port = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        status, _, told = run("device", "info", "--port", port, "--timeout", "0.3")
    assert status == 2
    assert "device: gave no response to info in 0.3 s" in told


def test_tcp_serves_like_a_port(product_elf: Path, run: Run, small: Any, recordings: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with process.Emulator(product_elf, ("-serial", f"tcp:127.0.0.1:{number},server=on,wait=off")):
        status, held, _ = run("device", "info", "--port", f"tcp:127.0.0.1:{number}")
        file = next((recordings / small.compiled.identity.labels[1]).iterdir())
        said = run("device", "stream", file, "--port", f"tcp:127.0.0.1:{number}")[1]
    windows = soundfile.read(file, dtype="int32")[0].reshape(3, -1) >> 8
    assert [result["scores"] for result in said["results"]] == small.expected(windows).tolist()
    assert (status, held["model_sha256"]) == (0, small.compiled.identity.sha256)


@pytest.mark.parametrize("port", ["tcp:localhost", "tcp:localhost:99999", "tcp:"])
def test_half_a_tcp_name_is_refused(run: Run, port: str) -> None:
    status, _, told = run("device", "info", "--port", port)
    assert status == 2
    assert "is not a TCP port; write tcp:HOST:PORT" in told


def test_a_calibrated_rule_is_what_the_device_says(
    port: str, run: Run, small_file: Path, recordings: Path, small: Any, tmp_path: Path
) -> None:
    options = ("--data", recordings, "--split", "all", "--share", 128, "--diagram", tmp_path / "bins.svg")
    status, rule, _ = run("device", "calibrate", small_file, *options, "--accuracy", "0.1")
    assert status == 0
    assert sum(one["windows"] for one in rule["reliability"]) > 0
    assert 0 <= rule["calibration_error"] <= 1
    assert (tmp_path / "bins.svg").read_text("utf-8").startswith("<svg")
    assert (rule["share"], rule["margin"]) == (128, 0)
    assert 0 < rule["coverage"] <= 1
    assert run("device", "calibrate", small_file, *options, "--accuracy", "1.0")[0] == 2, (
        "a random network knows nothing"
    )
    file = next((recordings / small.compiled.identity.labels[0]).iterdir())
    said = run("device", "stream", file, "--port", port, "--decide", "128 0 255")[1]
    assert [result["heard"] for result in said["results"]] == ["unknown"] * 3
    said = run("device", "stream", file, "--port", port)[1]
    assert [result["heard"] for result in said["results"]] == [None] * 3
