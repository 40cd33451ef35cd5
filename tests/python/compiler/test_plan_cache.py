"""Plans that were kept: the same C without a search, and never the plan of another model or a damaged one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from networks import random_network

from scenelet.compiler import plan_cache
from scenelet.compiler.depth_first.draft import Draft
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.core import files, toolchain
from scenelet.core.notes import InputNote
from scenelet.core.sealed import seal, unseal

SMALL = random_network(3, 12)
SM1 = (toolchain.FIRMWARE / "models" / "esc10_sm1.tflite").read_bytes()
OPTIONS = [
    Options(),
    Options(ram_bytes=0),
    Options(ram_bytes=16_384, weights="auto"),
    Options(weights="expanded", wait_states=0),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where plans are kept."""
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path))
    monkeypatch.setattr(plan_cache, "_LEAST_LOOKED_AT", 0)
    return tmp_path / "plans"


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[Draft]:
    """What was found by a search, in order."""
    found: list[Draft] = []

    def divide(*arguments: Any) -> Draft:
        found.append(search(*arguments))
        return found[-1]

    search: Callable[..., Draft] = plan_cache.divide
    monkeypatch.setattr(plan_cache, "divide", divide)
    return found


def same(one: dict[str, str], other: dict[str, str]) -> bool:
    return list(one) == list(other) and all(one[name] == other[name] for name in one)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_kept_plan_gives_the_same_c_without_a_search(options: Options, searches: list[Draft]) -> None:
    first, again = (compile_model(SM1, options) for _ in range(2))
    assert len(searches) == 1
    assert same(first.files(), again.files())
    assert [step.terms for step in first.program.steps] == [step.terms for step in again.program.steps]


@pytest.mark.parametrize("seed", range(12))
def test_generated_networks_are_laid_out_again_as_they_were(seed: int, searches: list[Draft]) -> None:
    options = OPTIONS[seed % len(OPTIONS)]
    first, again = (compile_model(random_network(seed, 12), options) for _ in range(2))
    assert len(searches) == 1
    assert same(first.files(), again.files())


def test_another_model_or_option_has_a_plan_of_its_own(searches: list[Draft], folder: Path) -> None:
    for options in OPTIONS[:2]:
        compile_model(SMALL, options)
    compile_model(SMALL + b"\0")
    assert len(searches) == len(list(folder.iterdir())) == 3


def test_another_compiler_plans_anew(searches: list[Draft], monkeypatch: pytest.MonkeyPatch) -> None:
    compile_model(SMALL)
    monkeypatch.setattr(plan_cache, "_compiler", lambda: "of another version")
    compile_model(SMALL)
    assert len(searches) == 2


def test_the_key_depends_on_every_source_of_the_compiler() -> None:
    names = {path.name for path in plan_cache._sources()}
    assert {"cost_rates.json", "partition.py", "reader.py", "graph.py", "fixed_point.py", "plan_cache.py"} <= names


def entry(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def spoilt(folder: Path) -> Iterator[tuple[bytes, str]]:
    """Contents that are no plan of the model, and what is said of each."""
    content = entry(folder).read_bytes()
    yield content[:-1], "is damaged; it is made again"
    yield bytes([*content[:9], content[9] ^ 1, *content[10:]]), "is damaged; it is made again"
    yield b"", "is damaged; it is made again"
    yield seal(b'{"expanded": {}}'), "is damaged: key 'segments': field required; it is made again"
    told = unseal(content, folder, "")
    other = seal(told.replace(b'"start":8', b'"start":0'))
    yield other, "is of another model: steps 0 to 9 cannot be a segment; it is made again"
    other = seal(told.replace(b'"ways":[0]', b'"ways":[99]'))
    yield other, "is of another model: steps 8 to 9 have other stages; it is made again"


def test_a_damaged_plan_is_made_again_with_a_note(searches: list[Draft], folder: Path) -> None:
    right = compile_model(SMALL).files()
    whole = entry(folder).read_bytes()
    told = list(spoilt(folder))
    for number, (content, text) in enumerate(told):
        entry(folder).write_bytes(content)
        with pytest.warns(InputNote) as notes:
            assert same(compile_model(SMALL).files(), right)
        assert [str(one.message) for one in notes] == [f"{entry(folder)}: {text}"]
        assert entry(folder).read_bytes() == whole
        assert len(searches) == number + 2


def test_a_short_search_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_cache, "_LEAST_LOOKED_AT", 1000)
    compile_model(SMALL)
    assert not folder.exists()


def test_a_place_that_cannot_be_written_keeps_no_plan(tmp_path: Path, searches: list[Draft]) -> None:
    (tmp_path / "plans").write_text("a file in the folder's place")
    assert same(compile_model(SMALL).files(), compile_model(SMALL).files())
    assert len(searches) == 2


def test_the_least_recently_used_plans_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_cache, "_MOST_FILES", 2)
    compile_model(SMALL)
    kept = entry(folder)
    for age, name in ((300, "old"), (200, "less")):
        files.write_text(folder / f"{name}.json", "")
        os.utime(folder / f"{name}.json", (age, age))
    os.utime(kept, (100, 100))
    compile_model(SMALL)  # used, so it is the youngest
    compile_model(SMALL, OPTIONS[1])
    assert kept.exists()
    assert not (folder / "less.json").exists()
    assert len(list(folder.iterdir())) == 2
