"""A minute of audio through the product on this computer; the tool takes any number of hours."""

import json
import os
import subprocess
import sys

import numpy as np
import soak


def test_a_minute_is_decided_as_the_reference_decides() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, soak.__file__, "--hours", str(1 / 60)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["windows"] > 400
    assert result["mismatches"] == 0


def test_what_grows_or_differs_is_no_success() -> None:
    good = {"windows": 9, "resident_bytes": (5, 5), "open_files": (5, 4)}
    assert soak.Result("host", 60, **good).ok
    for change in ({"mismatches": 1}, {"overruns": 1}, {"exit_status": -6}, {"resident_bytes": (5, 6)}, {"windows": 0}):
        assert not soak.Result("host", 60, **(good | change)).ok


def test_segments_are_the_same_every_time_and_reach_both_ends() -> None:
    segments = [soak.segment(number, 8000) for number in (17, 18, 19)]
    soak.segment.cache_clear()
    for number, segment in zip((17, 18, 19), segments, strict=True):
        assert np.array_equal(soak.segment(number, 8000), segment)
    assert (segments[2].min(), segments[2].max()) == (-(2**23), 2**23 - 1)
