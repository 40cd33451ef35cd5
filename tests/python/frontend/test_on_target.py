"""The Cortex-M4 path: the same bits as NumPy, and what it costs."""

from __future__ import annotations

import numpy as np
import pytest
from frontend_inputs import CONFIGS, extremes, varied

from scenelet.config.recipe import FrontendConfig
from scenelet.frontend import fixed_point
from scenelet.frontend.flash_tables import device_tables
from scenelet.frontend.on_target import ProbeResult, probe
from scenelet.frontend.tables import make_tables

pytestmark = pytest.mark.qemu


def probed(config: FrontendConfig, *flags: str, form: str = "fast") -> ProbeResult:
    tables = make_tables(config)
    windows = np.concatenate([extremes(config)[::2], varied(config, 40)])
    result = probe(windows, tables, flags, form=form)
    assert np.array_equal(result.features, fixed_point.features(windows, tables))
    return result


@pytest.mark.parametrize("name", ["16 bit", "256", "512", "1024", "2048 odd window", "4096", "more bands than bins"])
def test_board_equals_model(name: str) -> None:
    probed(CONFIGS[name])


@pytest.mark.parametrize("name", ["hamming", "256", "512", "1024", "2048 odd window", "4096"])
def test_compact_tables_change_no_bit(name: str) -> None:
    probed(CONFIGS[name], form="compact")


@pytest.mark.parametrize("flag", ["-O0", "-Os"])
def test_the_optimiser_changes_no_bit(flag: str) -> None:
    probed(CONFIGS["default"], flag)


def test_cost_of_the_paper_s_front_end() -> None:
    result = probed(CONFIGS["default"])
    assert result.frame_instructions <= 106_000
    assert result.clip_instructions <= 8 * 112_000
    assert 1_000 < result.code_bytes <= 3_600


def test_cost_of_compact_tables() -> None:
    config = CONFIGS["default"]
    assert device_tables(make_tables(config), "compact").table_bytes <= 6_000
    assert probed(config, form="compact").frame_instructions <= 109_000
