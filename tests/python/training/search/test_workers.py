"""KerasTuner's chief and two workers, by its own protocol: one search, and a result like any other."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import InputError
from scenelet.training.search.hyperband import open_search
from scenelet.training.search.space import rejection_reason
from scenelet.training.search.workers import role, run_chief

pytestmark = pytest.mark.train

WORKER = """
import json, sys
from pathlib import Path
from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.training.search.hyperband import open_search
from scenelet.training.search.workers import role, run_worker
values, data, out, cache = sys.argv[1:]
assert role() == "worker"
base = recipe.parse(json.loads(values), "tiny")
shared = open_search(base, open_dataset(data), out, parts=("representation",), cache=Path(cache))
print(run_worker(shared))
"""


def test_two_workers_share_a_search(recordings, tiny_recipe, tmp_path, monkeypatch):
    from keras_tuner.src.distribute import oracle_chief

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port)}
    base = tiny_recipe(epochs=3)
    given = [
        json.dumps(base.model_dump(mode="json", exclude_none=True)),
        recordings,
        tmp_path / "out",
        tmp_path / "cache",
    ]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, *map(str, given)],
            env={**os.environ, **address, "KERASTUNER_TUNER_ID": name},
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("first", "second")
    ]
    for name, value in {**address, "KERASTUNER_TUNER_ID": "chief"}.items():
        monkeypatch.setenv(name, value)
    assert role() == "chief"
    # KerasTuner looks every 20 s whether the last worker has gone.
    monkeypatch.setattr(oracle_chief, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.2))))
    shared = open_search(
        base, open_dataset(recordings), tmp_path / "out", parts=("representation",), cache=tmp_path / "cache"
    )
    found = run_chief(shared)
    done = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    told = json.loads((tmp_path / "out" / "tune.json").read_text())
    assert sum(done) == len(told["trials"]) == 6
    assert {trial["epochs"] for trial in told["trials"]} == {1, 3}
    assert not any(rejection_reason(base, trial["values"]) for trial in told["trials"])
    assert recipe.load(tmp_path / "out" / "best.toml") == found.recipe
    assert found.run.metrics["epochs"] == 3
    assert run_chief(shared).summary == told  # done is done


def test_the_environment_says_who_is_who(monkeypatch):
    for name in ("IP", "PORT"):
        monkeypatch.delenv(f"KERASTUNER_ORACLE_{name}", raising=False)
    assert role() is None
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    with pytest.raises(InputError, match="KERASTUNER_ORACLE_IP: is set without the rest"):
        role()
