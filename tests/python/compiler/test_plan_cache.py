"""A second command with the same model does not plan again; what a damaged or another's cache holds harms nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from networks import NetworkBuilder

from scenelet.compiler import pipeline, plan_cache
from scenelet.compiler.options import DEFAULT, Options
from scenelet.compiler.pipeline import compile_model
from scenelet.core.notes import InputNote


class Counted:
    """Counts how often something was planned."""

    def __init__(self) -> None:
        self.calls, self._make = 0, pipeline._compile

    def __call__(self, subject: str, name: str, content: bytes, options: Options) -> pipeline.Compiled:
        self.calls += 1
        return self._make(subject, name, content, options)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counted:
    counted = Counted()
    monkeypatch.setattr(plan_cache, "KEEPS", True)
    monkeypatch.setattr(pipeline, "_compile", counted)
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path / "build"))
    return counted


@pytest.fixture
def model() -> bytes:
    network = NetworkBuilder(1, (1, 9, 9, 4))
    return network.model(network.convolution(network.start, 4, (3, 3)))


def entries(folder: Path) -> list[Path]:
    return sorted((folder / "build" / "plans").glob("*"))


def test_the_same_model_is_planned_once(planned: Counted, model: bytes, tmp_path: Path) -> None:
    first, second = compile_model(model), compile_model(model)
    assert planned.calls == 1
    assert first.files() == second.files()
    assert first.plan.arena_bytes == second.plan.arena_bytes
    (tmp_path / "other.tflite").write_bytes(model)
    assert compile_model(tmp_path / "other.tflite").identity.name == "other"
    assert planned.calls == 2


@pytest.mark.parametrize(
    "options", [Options(fusion=False), Options(weights="expanded"), Options(ram_bytes=0), Options(wait_states=2)]
)
def test_other_options_and_other_code_are_other_plans(
    planned: Counted, model: bytes, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_model(model, DEFAULT)
    compile_model(model, options)
    assert planned.calls == 2
    monkeypatch.setattr(plan_cache, "_code", lambda: "of another version")
    compile_model(model, options)
    assert planned.calls == 3


@pytest.mark.parametrize("damage", [lambda one: one[:-7], lambda one: b"\x80" + one, lambda _: b""])
def test_a_damaged_entry_is_made_again(planned: Counted, model: bytes, tmp_path: Path, damage: object) -> None:
    wanted = compile_model(model).files()
    (path,) = entries(tmp_path)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    with pytest.warns(InputNote, match=r"\.plan: is damaged; it is made again"):
        assert compile_model(model).files() == wanted
    assert compile_model(model).files() == wanted
    assert planned.calls == 2


def test_a_model_that_is_refused_leaves_nothing(planned: Counted, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(pipeline.ModelError):
            compile_model(b"no model")
    assert planned.calls == 2
    assert not entries(tmp_path)


def test_without_a_place_to_keep_it_a_plan_is_made_all_the_same(
    planned: Counted, model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENELET_BUILD", os.devnull)
    assert compile_model(model).files() == compile_model(model).files()
    assert planned.calls == 2


def test_the_oldest_entries_go(planned: Counted, model: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_cache, "_MOST", 2)
    for number, ram in enumerate((1000, 2000, 3000)):
        compile_model(model, Options(ram_bytes=ram))
        for path in entries(tmp_path):
            os.utime(path, (path.stat().st_atime, number))
    assert len(entries(tmp_path)) == 2
    assert planned.calls == 3
