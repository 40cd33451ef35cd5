"""What the readers of all containers share: a recording as blocks of samples, and libsndfile as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..errors import AudioError

AGAIN = "copy, download or record it again"
CONVERT = "convert it to WAV (16, 24, 32 bit or float), FLAC (16 or 24 bit) or Ogg (Vorbis or Opus)"
BLOCK_VALUES = 1 << 18

Block = NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """An audio file whose container is known to be complete, or whose blocks will find out.

    Attributes
    ----------
    path
        Path of the file.
    rate
        Sample rate as the file states it, Hz; any number.
    blocks
        float64 (n, channels) with n >= 1, full scale 1, to be read once. A block holds only what was decoded. After the
        last one, the number of samples has been compared with all that the file says about it.
    lossy
        Whether the decoder overshoots what was encoded, so that values beyond full scale are no fault of the file.
    """

    path: Path
    rate: int
    blocks: Iterator[Block]
    lossy: bool = False


def block_frames(channels: int) -> int:
    """Frames per block, so that a block's size does not grow with the channels."""
    return max(1, BLOCK_VALUES // channels)


class Stream(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file of libsndfile that is read from its start to its end.

    ``soundfile`` seeks after every read, which makes the Opus decoder start anew and some decoders fail. It does not
    where the file cannot seek. Its ``blocks`` yields buffers that a decoder did not fill; :meth:`parts` counts.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        try:  # by its descriptor, since soundfile takes a file's suffix for its format
            super().__init__(descriptor, closefd=False)
        except soundfile.SoundFileError as error:
            raise _unreadable(path, error) from None

    def seekable(self) -> bool:
        """Never, so that nothing seeks."""
        return False

    def parts(self, dtype: Literal["float64", "int32"]) -> Iterator[NDArray[Any]]:
        """Yield (n, channels) with n >= 1 until the decoder gives no more; valid until the next one."""
        buffer = np.zeros((block_frames(self.channels), self.channels), dtype)
        while True:
            try:
                part = self.read(out=buffer)
            except soundfile.SoundFileError as error:
                raise _unreadable(self._path, error) from None
            if not len(part):
                return
            yield part


def _unreadable(path: Path, error: soundfile.SoundFileError) -> AudioError:
    reason = " ".join(str(getattr(error, "error_string", error)).split()).rstrip(".")
    return AudioError(path, f"not readable as audio ({reason})", f"{AGAIN}, or {CONVERT}")
