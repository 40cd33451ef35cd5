"""Evaluations beside a run's model: every key that the page shows is checked before the page is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.core.templating import render
from scenelet.errors import DamagedFileError
from scenelet.publish import report

GROUP = {"count": 2, "accuracy": 0.5, "log_loss": 1.0}
WHOLE: dict[str, Any] = {
    "target": "host",
    "split": "test",
    "windows": 3,
    "clips": 2,
    "accuracy": 0.5,
    "clip_accuracy": 1,
    "log_loss": 1.5,
    "labels": ["a", "b"],
    "confusion": [[1, 0], [1, 1]],
    "by_device": {"phone": GROUP},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def page(folder: Path, content: Any) -> str:
    """The evaluation's part of the page."""
    (folder / "evaluation.json").write_text(json.dumps(content))
    values = {"title": "t", "tiles": [], "curves": "", "layers": [], "info": []}
    return render("scenelet.publish", "report.html", values | {"evaluations": report._evaluations(folder)})


def test_a_whole_evaluation_is_shown(tmp_path: Path) -> None:
    assert "50.00 % of 3 windows" in page(tmp_path, WHOLE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": []}, "key 'labels'"),
        ({"confusion": [[1, 0]]}, "key 'confusion' is no table of 2 x 2"),
        ({"confusion": [[1, 0], [1]]}, "key 'confusion' is no table of 2 x 2"),
        ({"confusion": [[1, 0], [1, -1]]}, "key 'confusion.1.1'"),
        ({"by_device": {"phone": {}}}, "key 'by_device.phone.count'"),
        ({"accuracy": "1"}, "key 'accuracy'"),
    ],
)
def test_what_the_page_needs_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(DamagedFileError, match=rf"evaluation\.json: is damaged: {said}.*; write it again with"):
        page(tmp_path, {**WHOLE, **change})


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_anything_in_a_keys_place_is_shown_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = json.loads(json.dumps(WHOLE))
    place = data.draw(st.sampled_from([content, content["by_device"], content["by_device"]["phone"]]))
    key = data.draw(st.sampled_from(sorted(place)))
    if data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(ANYTHING)
    try:
        shown = page(tmp_path, content)
    except DamagedFileError:
        return
    assert shown.rstrip().endswith("</html>")
