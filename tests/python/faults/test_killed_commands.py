"""A few kills of small commands, by the campaign that kills each of them fifty times; and what it must notice."""

import os
import random
import subprocess
import sys
from pathlib import Path

import kill
import numpy as np
import pytest
from operations import Operation
from outcomes import half_written, leftovers

from scenelet.core import files, sealed

SUPPORT = Path(kill.__file__).parents[1]


@pytest.mark.parametrize(
    ("names", "times"),
    [(("export", "synth"), 3), pytest.param(("quantize",), 2, marks=pytest.mark.train)],
)
def test_a_killed_command_given_again_leaves_what_an_undisturbed_one_does(names: tuple[str, ...], times: int) -> None:
    places = (SUPPORT, SUPPORT / "fixtures", os.environ.get("PYTHONPATH", ""))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places))}
    command = [sys.executable, kill.__file__, *names, "--times", str(times)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in names:
        assert f"of {times} times, 0 failures" in next(line for line in done.stdout.splitlines() if name in line)


def in_pieces(_shared: Path, work: Path) -> int:
    """A command that writes a file in two steps, as none may."""
    with (work / "out" / "a.json").open("w") as file:
        file.write('{"a": ')
        file.flush()
        (work / "out" / "b.json").write_text("{}\n")
        file.write("1}")
    return 0


def not_the_same(_shared: Path, work: Path) -> int:
    """A command that goes on differently after a kill."""
    path = work / "out" / "a.json"
    files.write_text(path, '{"runs": 2}' if path.exists() else '{"runs": 1}')
    (work / "out" / "b.json").write_text("{}\n")
    return 0


def untidy(_shared: Path, work: Path) -> int:
    """A command that leaves a temporary file behind."""
    (work / "out" / ".a.json.0.part").touch()
    (work / "out" / "b.json").write_text("{}\n")
    return 0


@pytest.mark.parametrize(
    ("run", "said"), [(in_pieces, "half written: "), (not_the_same, "other files: "), (untidy, "it leaves ")]
)
def test_the_campaign_notices(run: object, said: str, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    campaign = kill.Campaign("bad", Operation(run), shared, tmp_path)  # type: ignore[arg-type]
    told = []
    for seed in range(24):  # half of the points come before anything is wrong
        try:
            campaign.kill_once(1, random.Random(seed))
        except kill.Failure as failure:
            told.append(str(failure))
    assert any(said in one for one in told)


def test_half_written_files_are_told_from_whole_ones(tmp_path: Path) -> None:
    left, whole = tmp_path / "left", tmp_path / "whole"
    whole.mkdir()
    files.write_text(left / "a.json", '{"a": 1}\n')
    files.write_text(left / "history.csv", "a,b\n1,2\n")
    sealed.write_array(left / "a.npy", np.arange(5))
    files.write_bytes(left / "a.npz", sealed.pack({"a": np.arange(5)}))
    assert half_written(left, whole) == []
    for path in left.iterdir():
        path.write_bytes(path.read_bytes()[:-3])
    assert half_written(left, whole) == ["a.json", "a.npy", "a.npz", "history.csv"]
    (left / ".a.json.0.part").touch()
    assert leftovers(left) == [".a.json.0.part"]
