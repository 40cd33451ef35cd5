"""Maps of values as pictures: a PNG in the page, one pixel per value."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import soundfile
from numpy.typing import NDArray

# Dark blue over violet and orange to pale yellow: the larger, the lighter, in print and for the colour-blind too.
_STOPS = np.array([(8, 10, 48), (70, 18, 110), (150, 38, 105), (221, 81, 58), (252, 165, 10), (252, 255, 190)], float)
_COLOURS = 256


def palette() -> NDArray[np.uint8]:
    """Colours from the least value to the largest, (256, 3) RGB."""
    place = np.linspace(0, len(_STOPS) - 1, _COLOURS)
    channels = [np.interp(place, np.arange(len(_STOPS)), _STOPS[:, channel]) for channel in range(3)]
    colours: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return colours


def gradient() -> str:
    """The same colours as a gradient of CSS, from left to right."""
    stops = ", ".join(f"rgb({', '.join(map(str, map(int, stop)))})" for stop in _STOPS)
    return f"linear-gradient(to right, {stops})"


def png(values: NDArray[np.uint8]) -> str:
    """A picture of values as a ``data:`` address.

    Parameters
    ----------
    values
        (rows, columns), 0 to 255; the first row is the uppermost.

    Returns
    -------
    str
        The same for the same values: a PNG of one byte per pixel with :func:`palette`.
    """
    rows, columns = values.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)  # 8 bits, indexed
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), values], axis=1)  # each row begins with its filter: none
    parts = [
        (b"IHDR", header),
        (b"PLTE", palette().tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return _address("image/png", content)


def wav(samples: NDArray[np.int32], rate: int, bits: int) -> str:
    """Samples of 16 or 24 bits as a ``data:`` address of a WAV file of 16 bits."""
    content = io.BytesIO()
    shift = bits - 16
    soundfile.write(content, (samples >> shift).astype(np.int16), rate, format="WAV", subtype="PCM_16")
    return _address("audio/wav", content.getvalue())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
