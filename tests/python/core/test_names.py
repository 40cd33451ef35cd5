from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenelet.config.recipe import FrontendConfig
from scenelet.core.names import LONGEST_LABEL, is_utf8, label_problem, one_form, twice
from scenelet.tflite.metadata import ModelInfo


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ("", "empty"),
        ("  \u00a0 ", "empty"),
        ("x" * (LONGEST_LABEL + 1), "has 65 characters, at most 64"),
        ("é" * (LONGEST_LABEL + 1), "has 65 characters"),
        ("a\tb", r"control character U\+0009"),
        ("a\x85b", r"control character U\+0085"),
        ("a\u2028b", r"control character U\+2028"),
        ("\udcff", "not UTF-8"),
    ],
)
def test_names_that_no_class_may_have(label: str, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        assert not label_problem(label)


@pytest.mark.parametrize("label", ["rain", "sea waves", "é" * LONGEST_LABEL, "'$[x]%=|`\"\\", "مطر", "雨", "🌧"])
def test_names_that_a_class_may_have(label: str) -> None:
    assert label_problem(label) == ""


@given(st.text(max_size=80))
def test_a_name_that_is_accepted_fits_into_a_models_metadata(label: str) -> None:
    if not label_problem(label):
        front = FrontendConfig(n_fft=256, hop_length=256, n_mels=16, clip_seconds=0.256)
        info = ModelInfo(labels=(label,), frontend=front, recipe="x")
        assert ModelInfo.model_validate_json(info.to_json()).labels == (label,)


@given(st.text(max_size=20), st.sampled_from(["NFC", "NFD"]), st.sampled_from(["", " "]))
def test_forms_of_one_name_are_one_name(name: str, form: str, space: str) -> None:
    assert one_form(unicodedata.normalize(form, name)) == one_form(name)  # type: ignore[arg-type]
    assert twice([name, space + unicodedata.normalize(form, name)]) is not None  # type: ignore[arg-type]


def test_names_that_differ_in_case_are_two() -> None:
    assert twice(["rain", "Rain", "snow"]) is None
    assert twice(["rain", "snow", "rain "]) == "rain "


def test_bytes_that_are_no_utf8_are_known() -> None:
    assert is_utf8("ä雨")
    assert not is_utf8(b"a\xff".decode("utf-8", "surrogateescape"))
