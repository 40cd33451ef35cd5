"""No sum of the front end leaves int32, and powers and bands stay below what docs/SPEC.md states, at the extremes.

The C computes the same sums in int32, where one that is too large would wrap. The NumPy model has them in int64, so
that they can be looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from frontend_inputs import CONFIGS, extremes

from scenelet.config.recipe import FrontendConfig
from scenelet.frontend import fixed_point
from scenelet.frontend.tables import make_tables

INT32 = np.iinfo(np.int32)
SUMS = (np.add, np.subtract, np.negative)
POWER_BELOW = 1.2 * 2.0**60
BAND_BELOW = 2.0**61


class Looked(np.ndarray):
    """int64 values of which every sum of two int32 numbers must be one."""

    largest = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [np.asarray(one) for one in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        if ufunc in SUMS and all(within(one) for one in plain):
            assert within(result), f"a sum of {np.abs(result).max():,}"
            Looked.largest = max(Looked.largest, int(np.abs(result).max()))
        return look(result)


def within(values: np.ndarray) -> bool:
    return bool(values.size == 0 or (values.min() >= INT32.min and values.max() <= INT32.max))


def look(value: Any) -> Any:
    """The same value, its sums looked at."""
    if isinstance(value, tuple):
        return tuple(look(one) for one in value)
    return value.view(Looked) if isinstance(value, np.ndarray) and value.dtype == np.int64 else value


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """A product: its inside is of 64 bits in C too, what comes of it is not."""

    def called(*arguments: Any) -> Any:
        result = function(*[np.asarray(one) for one in arguments])
        assert within(result), f"a product of {np.abs(result).max():,}"
        return look(result)

    return called


def looked(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any) -> Any:
        result = function(*[look(one) for one in arguments])
        for one in result if isinstance(result, tuple) else (result,):
            assert one.dtype == np.uint64 or within(np.asarray(one))
        return look(result)

    return called


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_mulr", "_mlar", "_mlsr"):
        monkeypatch.setattr(fixed_point, name, plainly(getattr(fixed_point, name)))
    for name in ("_turn", "_twiddle", "_first_radix2", "_first_radix4", "_radix4"):
        monkeypatch.setattr(fixed_point, name, looked(getattr(fixed_point, name)))
    power = fixed_point._power
    monkeypatch.setattr(fixed_point, "_power", lambda z, tables: power(look(z), tables))
    Looked.largest = 0


def straining(config: FrontendConfig) -> np.ndarray:
    """Frames of full scale: random signs, and those of every kind of bin at several phases, as far as a bin can go."""
    chance = np.random.default_rng(3)
    full, time = 1 << (config.sample_bits - 1), np.arange(config.n_fft)
    bins = [0, 1, 2, 3, config.n_fft // 8, config.n_fft // 4, config.n_fft // 2 - 1, config.n_fft // 2]
    bins += chance.integers(config.n_fft // 2, size=24).tolist()
    phases = np.arange(8) * np.pi / 4
    angles = 2 * np.pi * np.array(bins)[:, None, None] * time / config.n_fft + phases[:, None]
    up = np.concatenate([(np.cos(angles) >= 0).reshape(-1, config.n_fft), chance.random((64, config.n_fft)) < 0.5])
    return np.where(up, full - 1, -full).astype(np.int32)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.usefixtures("watched")
def test_no_sum_leaves_int32(name: str) -> None:
    config = CONFIGS[name]
    tables = make_tables(config)
    cut = fixed_point.frames_of(extremes(config), tables)[:, :3].reshape(-1, config.n_fft)
    frames = np.concatenate([straining(config), cut])
    shift = fixed_point._block_shift(frames)
    z = fixed_point._fft(fixed_point._windowed(frames, shift, tables), tables)
    power = np.asarray(fixed_point._power(z, tables))
    assert power.max() < POWER_BELOW
    part = config.window_samples / config.n_fft
    assert power.max() > 0.9 * 2.0**60 * part**2, "the inputs no longer reach the end of the range"
    assert np.asarray(fixed_point._mel(power, tables)).max() < BAND_BELOW
    assert 2**28 < Looked.largest <= INT32.max


@pytest.mark.usefixtures("watched")
def test_a_sum_that_leaves_it_would_be_told() -> None:
    wide = look(np.array([2**30, -(2**30)]))
    assert np.array_equal(wide - wide, [0, 0])
    with pytest.raises(AssertionError, match=r"a sum of 2,147,483,648"):
        wide + wide
    with pytest.raises(AssertionError, match=r"a product of "):
        fixed_point._mlar(*[np.array([INT32.max])] * 3)
