"""Files that play, decided on by this computer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...core.files import require_readable
from ..listen import AudioFormat
from .chain import Chain
from .events import NO_COLUMNS, Heard, Load
from .pace import Pace

_STEPS_PER_SECOND = 20
"""Events per second while audio plays."""

Push = Callable[[NDArray[np.int32]], tuple[int, NDArray[np.int8]]]


def played(
    window: NDArray[np.int32], file: str, start: float, rate: int, push: Push | None, pace: Pace
) -> Iterator[Heard]:
    """Play a window: yield its samples with the columns that they complete.

    Parameters
    ----------
    start
        Seconds of the file before it.
    push
        Front end that has begun a window; None where there is none.
    """
    step = window.size if pace.fast else max(1, rate // _STEPS_PER_SECOND)
    for at in range(0, window.size, step):
        part = window[at : at + step]
        pace.wait(part.size / rate)
        columns = [] if push else [NO_COLUMNS]
        taken = 0
        while push and taken < part.size:
            used, made = push(part[taken:])
            columns.append(made)
            taken += used
        yield Heard(file, start + (at + part.size) / rate, part, np.concatenate(columns, axis=1))


def require_files(files: Iterable[Path]) -> None:
    """Check that files can be opened, before anything is made ready.

    Raises
    ------
    InputError
        One is missing, or cannot be read.
    """
    for path in files:
        require_readable(path)


class FileSource:
    """Files one after the other, cut into windows as ``scenelet device stream`` cuts them.

    Parameters
    ----------
    files
        Audio files; asked for the next when one has played, so they may be endless.
    load
        What a board would need, from a model.
    fast
        Play as fast as this computer can, not in real time.
    """

    def __init__(self, files: Iterable[Path], chain: Chain, load: tuple[Load, ...], *, fast: bool) -> None:
        self._files, self._chain, self._load, self._pace = files, chain, load, Pace(fast)
        speed = "as fast as possible" if fast else "in real time"
        self.about = chain.about(f"files {speed}; this computer decides")

    def events(self) -> Iterator[Heard]:
        """See :class:`.events.Source`."""
        chain, config = self._chain, self._chain.config
        form = AudioFormat(config.sample_rate, config.sample_bits, config.clip_samples, config.capture_rate)
        for path in self._files:
            chain.begin()
            for number, window in enumerate(form.windows(path)):
                start = number * config.clip_seconds
                yield from played(window, path.name, start, config.sample_rate, chain.push, self._pace)
                decision = chain.decide(path.name, number)
                loads = (chain.spent(config.clip_seconds), *self._load)
                yield Heard(path.name, start + config.clip_seconds, decision=decision, loads=loads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
