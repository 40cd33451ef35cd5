"""The firmware's C front end, compiled for the host and called from Python."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from cffi import FFI
from numpy.typing import NDArray

from ..core import toolchain
from .flash_tables import device_tables
from .tables import Tables
from .windows import checked, cut

SOURCES = toolchain.FIRMWARE / "lib" / "frontend"

_CDEF = """
typedef struct { int32_t mean, swing; const uint16_t *fix; } scn_window_computed_t;
typedef struct {
    uint32_t sample_rate, clip_samples;
    uint16_t n_fft, hop_length, n_mels, frames, padded, first_bin;
    uint8_t sample_bits;
    int8_t window_step;
    uint8_t band_step;
    void *transform;
    scn_window_computed_t computed;
    const int32_t *window, *sine;
    const uint16_t *weight, *bins, *log2;
    const int32_t *base, *gain;
    const int8_t *floor;
} scn_frontend_tables_t;
typedef struct {
    const scn_frontend_tables_t *tables;
    int32_t *history, *work;
    int8_t *features;
    uint32_t taken;
    uint16_t filled, column;
} scn_clip_t;
void scn_transform_radix4(void);
void scn_transform_radix2(void);
void scn_transform_computed_radix4(void);
void scn_transform_computed_radix2(void);
void scn_frontend_log_mel(const scn_frontend_tables_t *, const int32_t *, int32_t *, int32_t *);
void scn_clip_begin(scn_clip_t *, const scn_frontend_tables_t *, int32_t *, int32_t *, int8_t *);
size_t scn_clip_push(scn_clip_t *, const int32_t *, size_t);
bool scn_clip_ready(const scn_clip_t *);
bool scn_clip_done(const scn_clip_t *);
void scn_clip_slide(scn_clip_t *, uint16_t);
void scn_clip_features(const scn_frontend_tables_t *, const int32_t *, int32_t *, int32_t *, int8_t *);
"""


class Frontend:
    """A front end in C with its tables and memory; not thread-safe.

    Parameters
    ----------
    tables
        From :func:`scenelet.frontend.tables.make_tables`.
    flags
        Further compiler flags, for tests.
    form
        "fast" or "compact" tables; both give the same features.
    """

    def __init__(self, tables: Tables, flags: tuple[str, ...] = (), form: str = "fast") -> None:
        self.tables = tables
        self._device = device_tables(tables, form)
        self._ffi, self._lib = _library(flags)
        self._keep, self._struct = self._tables_struct()
        n_fft = tables.config.n_fft
        self._history, self._work = np.empty(n_fft, np.int32), np.empty(n_fft, np.int32)

    def features(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """See :func:`features`."""
        config = self.tables.config
        windows = checked(windows, config)
        result = np.empty((len(windows), config.n_mels, config.frames), np.int8)
        for window, out in zip(windows, result, strict=True):
            self._lib.scn_clip_features(
                self._struct, self._at(window), self._at(self._history), self._at(self._work), self._at(out)
            )
        return result

    def recording(self, samples: NDArray[np.int32]) -> NDArray[np.int8]:
        """Features of every window of a recording, (n,) -> (windows, n_mels, frames); see :func:`windows.cut`.

        Overlapping windows share one continuous grid: one FFT per hop.
        """
        config = self.tables.config
        windows = cut(samples, config)
        if config.slide is None or len(windows) == 1:
            return self.features(windows)
        stream, at = self.stream(), 0
        result = np.empty((len(windows), config.n_mels, config.frames), np.int8)
        for out in result:
            while not stream.ready:
                at += stream.push(samples[at:])
            out[...] = stream.features
            stream.slide(config.slide)
        return result

    def frame_levels(self, frames: NDArray[np.int32]) -> NDArray[np.int32]:
        """``scn_frontend_log_mel`` of frames: int32 (n, n_fft) -> int32 (n, n_mels), Q16 above each band's base."""
        frames = np.ascontiguousarray(frames, np.int32)
        result = np.empty((len(frames), self.tables.config.n_mels), np.int32)
        for frame, out in zip(frames, result, strict=True):
            self._lib.scn_frontend_log_mel(self._struct, self._at(frame), self._at(self._work), self._at(out))
        return result

    def stream(self) -> Stream:
        """Create a clip that takes samples in blocks."""
        return Stream(self)

    def _tables_struct(self) -> tuple[list[Any], Any]:
        tables, config = self.tables, self.tables.config
        struct = self._ffi.new("scn_frontend_tables_t *")
        for name in ("sample_rate", "clip_samples", "n_fft", "hop_length", "n_mels", "frames", "sample_bits"):
            setattr(struct, name, getattr(config, name))
        for name in ("padded", "first_bin", "window_step", "band_step"):
            setattr(struct, name, getattr(tables, name))
        struct.transform = self._ffi.cast("void *", getattr(self._lib, self._device.transform))
        if (computed := self._device.computed) is not None:
            struct.computed.mean, struct.computed.swing = computed.mean, computed.swing
        keep = []
        for _, member, array in self._device.arrays:
            keep.append(self._ffi.from_buffer(f"{_C_TYPES[array.dtype.name]}[]", array))
            *inner, name = member.split(".")
            setattr(getattr(struct, *inner) if inner else struct, name, keep[-1])
        return keep, struct

    def _at(self, array: NDArray[Any]) -> Any:
        return self._ffi.cast(f"{_C_TYPES[array.dtype.name]} *", array.ctypes.data)


class Stream:
    """A clip in the firmware's streaming driver.

    Attributes
    ----------
    features
        int8 (n_mels, frames); valid up to ``columns``.
    """

    def __init__(self, frontend: Frontend) -> None:
        config = frontend.tables.config
        self._frontend, self._lib = frontend, frontend._lib
        self.features = np.zeros((config.n_mels, config.frames), np.int8)
        self._history, self._work = np.empty(config.n_fft, np.int32), np.empty(config.n_fft, np.int32)
        self._clip = frontend._ffi.new("scn_clip_t *")
        self.begin()

    def begin(self) -> None:
        """Restart the clip."""
        arrays = (frontend_at(self._frontend, array) for array in (self._history, self._work, self.features))
        self._lib.scn_clip_begin(self._clip, self._frontend._struct, *arrays)

    def push(self, samples: NDArray[np.int32]) -> int:
        """Push samples, int32 (n,); returns the number of samples that were taken."""
        samples = np.ascontiguousarray(samples, np.int32)
        return int(self._lib.scn_clip_push(self._clip, frontend_at(self._frontend, samples), samples.size))

    def slide(self, columns: int) -> None:
        """Drop the oldest columns of a feature map that is ready (continuous grid)."""
        self._lib.scn_clip_slide(self._clip, columns)

    @property
    def columns(self) -> int:
        """Columns of ``features`` written so far."""
        return int(self._clip.column)

    @property
    def ready(self) -> bool:
        """Whether all columns are written."""
        return bool(self._lib.scn_clip_ready(self._clip))

    @property
    def done(self) -> bool:
        """Whether the clip has taken all its samples."""
        return bool(self._lib.scn_clip_done(self._clip))


def features(windows: NDArray[np.int32], tables: Tables) -> NDArray[np.int8]:
    """INT8 log-mel features, computed by the firmware's C.

    The same contract and the same values as :func:`scenelet.frontend.fixed_point.features`, about ten times as fast.

    Parameters
    ----------
    windows
        (n, clip_samples) integers of ``sample_bits`` bits.

    Returns
    -------
    int8, (n, n_mels, frames)

    Raises
    ------
    AudioError
        Where type, shape or range of ``windows`` is wrong.
    ToolError
        Where there is no C compiler.
    """
    return Frontend(tables).features(windows)


_C_TYPES = {"int8": "int8_t", "int32": "int32_t", "uint16": "uint16_t"}


def frontend_at(frontend: Frontend, array: NDArray[Any]) -> Any:
    """C pointer to an array's first value; the array must outlive the pointer."""
    return frontend._at(array)


@lru_cache
def _library(flags: tuple[str, ...]) -> tuple[FFI, Any]:
    ffi = FFI()
    ffi.cdef(_CDEF)
    path = toolchain.shared_library("frontend", SOURCES.glob("*.c"), [SOURCES], flags)
    return ffi, ffi.dlopen(str(path))
