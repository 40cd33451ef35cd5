"""What sources of live audio yield, and what consumers take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ..listen import WindowDecision

_TICK_SECONDS = 0.1
NO_SAMPLES: NDArray[np.int32] = np.empty(0, np.int32)
NO_COLUMNS: NDArray[np.int8] = np.empty((0, 0), np.int8)


@dataclass(frozen=True)
class Load:
    """Share of a processor that listening takes.

    Attributes
    ----------
    share
        1: all of it. Above 1 it cannot keep up.
    of
        Which processor.
    how
        "measured" or "modelled".
    by
        What the figure covers, and where it comes from.
    """

    share: float
    of: str
    how: str
    by: str


@dataclass(frozen=True)
class About:
    """What does not change while a source is heard.

    Attributes
    ----------
    source
        Where the sound comes from and where it is decided on.
    model
        Name of the model.
    labels
        Classes, in the order of the scores.
    sample_rate, sample_bits
        Of the samples: Hz, width.
    window_seconds
        Length of a window.
    column_seconds
        Time between two columns of the spectrogram; 0 without one.
    bands
        Centres of the mel bands in Hz, ascending; none without a spectrogram.
    spectrogram
        Who computes it; without one, why there is none.
    rule
        Rule over windows; "" where the newest window decides alone.
    notes
        Further lines for the user.
    """

    source: str
    model: str
    labels: tuple[str, ...]
    sample_rate: int
    sample_bits: int
    window_seconds: float
    column_seconds: float
    bands: tuple[float, ...]
    spectrogram: str
    rule: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heard:
    """What has come since the event before.

    Attributes
    ----------
    file
        Name of the file that plays; "microphone" for one.
    seconds
        Audio of this file, or since listening began, up to and including these samples; of a board's microphone, the
        time that has passed.
    samples
        New samples, int32 (n,) of :attr:`About.sample_bits`; none where they are not on this computer.
    columns
        New columns of the spectrogram, INT8 (bands, n): the network's features.
    decision
        Decision that these samples complete, with its scores.
    loads
        Newest figures of the load; empty where they are as before.
    remark
        Something to tell, such as samples that were lost.
    """

    file: str
    seconds: float
    samples: NDArray[np.int32] = field(default_factory=lambda: NO_SAMPLES)
    columns: NDArray[np.int8] = field(default_factory=lambda: NO_COLUMNS)
    decision: WindowDecision | None = None
    loads: tuple[Load, ...] = ()
    remark: str = ""


class Source(Protocol):
    """Something that is heard; a context manager."""

    about: About

    def events(self) -> Iterator[Heard]:
        """Yield what comes, several times a second while nothing is due; ends where the audio ends.

        Raises
        ------
        SceneletError
            A file cannot be read, a device stops answering, a microphone is gone.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Consumer(Protocol):
    """Something that shows or writes what is heard."""

    def take(self, heard: Heard) -> None:
        """Take an event; returns at once."""
        ...


class Until:
    """End of a session after some seconds of the clock; None: none but the user's."""

    def __init__(self, seconds: float | None = None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether it has come."""
        return self._end is not None and time.monotonic() >= self._end

    def wait(self) -> None:
        """Wait for it."""
        while not self.over:
            time.sleep(_TICK_SECONDS)


def pass_on(source: Source, consumers: Iterable[Consumer], until: Until) -> None:
    """Give all events of a source to its consumers, until it ends or the session does."""
    takers = tuple(consumers)
    for heard in source.events():
        for one in takers:
            one.take(heard)
        if until.over:
            return


def level_db(samples: NDArray[np.int32], bits: int) -> float | None:
    """Root mean square of samples of ``bits`` bits, in dB of full scale, at least -120; None without samples."""
    if not samples.size:
        return None
    mean = float(np.mean((samples / float(1 << (bits - 1))) ** 2))
    return max(-120.0, 10 * float(np.log10(max(mean, 1e-12))))
