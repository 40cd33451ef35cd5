"""JSON that is read back: whatever it holds, the file and the key are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.core import json_files
from scenelet.core.json_files import Checked, checked, parse_object, read_object, require_keys
from scenelet.core.metrics import Scores
from scenelet.errors import DamagedFileError, InputError

SCORES = {"windows": 4, "clips": 2, "accuracy": 0.5, "log_loss": 1.25, "clip_accuracy": 1}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


class Part(Checked):
    name: str
    scores: list[Scores]


def complaint(content: Any) -> str:
    """What is said of damaged content, parsed or not; any other error passes through. Empty where it is read."""
    try:
        parsed = parse_object(content, "a.json", "write it again") if isinstance(content, bytes) else content
        checked(Part, parsed, "a.json", "write it again")
    except DamagedFileError as error:
        return str(error)
    return ""


WHOLE = {"name": "x", "scores": [SCORES]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON: "),
        (b"\xff", "not JSON: 'utf-8' codec"),
        ("[1]", "not a JSON object"),
        ("{" * 100_000, "not JSON: "),
        ('{"a":' + "[" * 100_000, "JSON nested too deeply"),
        ('{"a":' + "[" * 200 + "]" * 200 + "}", "JSON nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "not JSON: "),
    ],
)
def test_what_is_no_object_is_said(content: bytes | str, said: str) -> None:
    with pytest.raises(DamagedFileError, match=f"a.json: is damaged: {said}.*; write it again"):
        parse_object(content, "a.json", "write it again")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"name": 3}, "name"),
        ({"scores": {}}, "scores"),
        ({"scores": [{**SCORES, "windows": True}]}, "scores.0.windows"),
        ({"scores": [SCORES, {**SCORES, "accuracy": "high"}]}, "scores.1.accuracy"),
        ({"scores": [{}]}, "scores.0.windows"),
    ],
)
def test_the_key_is_named(change: dict[str, Any], key: str) -> None:
    with pytest.raises(DamagedFileError, match=f"a.json: is damaged: key '{key}': .*; write it again"):
        checked(Part, {**WHOLE, **change}, "a.json", "write it again")


def test_further_keys_and_infinite_numbers_stay() -> None:
    held = checked(Part, {**WHOLE, "more": 1, "scores": [{**SCORES, "log_loss": float("inf")}]}, "a.json", "")
    assert held.scores[0].log_loss == float("inf")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_anything_in_a_keys_place_is_read_or_told_in_one_line(data: st.DataObject) -> None:
    content = json.loads(json.dumps(WHOLE))
    place = data.draw(st.sampled_from([content, content["scores"][0]]))
    key = data.draw(st.sampled_from(sorted(place)))
    if data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(ANYTHING)
    said = complaint(content)
    assert not said or f"{key}'" in said or f"{key}." in said


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bits_and_cuts_are_read_or_told_in_one_line(data: st.DataObject) -> None:
    content = bytearray(json.dumps(WHOLE).encode())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    for text in (bytes(content), cut):
        said = complaint(text)
        assert not said or (said.startswith("a.json: is damaged: ") and said.endswith("; write it again"))
    assert complaint(cut) or cut == content


def test_keys_may_be_asked_for_by_name() -> None:
    content = {"epochs": 3, "subject": "a", "test": SCORES}
    require_keys(content, "a.json", "", epochs=int, subject=str, test=Scores)
    with pytest.raises(DamagedFileError, match="key 'epochs': "):
        require_keys({**content, "epochs": "3"}, "a.json", "", epochs=int)


def test_what_the_system_refuses_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"cannot be read: Is a directory; check the path"):
        read_object(tmp_path, "delete it")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"a\.json: cannot be read: Permission denied; check its permissions"):
        json_files.read_object(tmp_path / "a.json", "delete it")


@pytest.mark.parametrize("name", ["_private", "model_config", "copy", "dataset", "a b", "", "__class__"])
def test_keys_may_have_any_name(name: str) -> None:
    require_keys({name: 1}, "a.json", "write it again", **{name: int})
    with pytest.raises(DamagedFileError) as error:
        require_keys({}, "a.json", "write it again", **{name: int})
    assert "field required" in str(error.value)
