"""How near the integers are to librosa: the figures of docs/results/frontend.md as limits."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from frontend_inputs import CONFIGS

from scenelet.config.recipe import FrontendConfig
from scenelet.errors import ToolError
from scenelet.frontend import accuracy
from scenelet.frontend.accuracy import ErrorReport, error_report


@pytest.fixture(scope="module")
def report() -> ErrorReport:
    return error_report(FrontendConfig(sample_bits=16))


def test_errors_of_the_paper_s_front_end(report: ErrorReport) -> None:
    assert report.clips >= 190
    assert report.all.mean <= 0.0009
    assert report.all.p99 <= 0.025
    assert report.all.max <= 0.12
    assert report.natural.mean <= 0.0001
    assert report.natural.max <= 0.005


def test_int8_differs_by_one_step_at_most(report: ErrorReport) -> None:
    assert report.int8_most <= 1
    assert report.int8_differ <= 0.00011 * report.int8_values


def test_report_splits_by_level_kind_and_band(report: ErrorReport) -> None:
    assert set(report.by_level) == set(range(0, -90, -10))
    assert "silence" in report.by_kind
    assert list(report.by_band) == ["0-34", "35-69", "70-104", "105-139"]
    total = sum(spread.values for spread in report.by_kind.values())
    assert total == report.all.values == sum(spread.values for spread in report.by_band.values())
    text = report.markdown()
    assert f"| natural-like | {report.natural} |" in text
    assert "| peak -80 dB |" in text


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["256", "512", "1024", "4096", "2048 odd window"])
def test_other_sizes_are_as_near(name: str) -> None:
    report = error_report(CONFIGS[name])
    assert report.natural.p99 < 0.01
    assert report.int8_most <= 1


def test_a_wrong_front_end_would_be_seen() -> None:
    config = FrontendConfig()
    windows = np.random.default_rng(0).integers(-(1 << 22), 1 << 22, (2, 8000), np.int32)
    hann = accuracy.log_mel_db(windows, config)
    hamming = accuracy.log_mel_db(windows, FrontendConfig(window="hamming"))
    assert np.abs(hann - hamming).mean() > 0.1


def test_without_librosa_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(ToolError, match="librosa: is not installed; pip install"):
        accuracy.log_mel_db(np.zeros((1, 8000), np.int32), FrontendConfig())
