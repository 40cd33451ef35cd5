from __future__ import annotations

from pathlib import Path

import pytest

from scenelet.core.notes import InputNote, note


def test_a_note_names_its_subject() -> None:
    with pytest.warns(InputNote, match=r"^a\.wav: has no length$"):
        note(Path("a.wav"), "has no length")
