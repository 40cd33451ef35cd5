"""A line that spoils what it carries, on purpose and repeatably."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from .framing import Type
from .streams import ByteStream


def chunk_ends(content: bytes) -> Iterator[int]:
    """Where frames, with both delimiters, and lines end in what a line carried; what is unfinished is left out."""
    at = 0
    while at < len(content):
        if content[at]:
            end = content.find(b"\n", at)
        elif at + 2 >= len(content):
            return  # frame or line: the byte that tells is still to come
        elif content[at + 2] >= Type.START:
            end = content.find(b"\0", at + 1)
        else:
            end = at  # a delimiter before a line
        if end < 0:
            return
        at = end + 1
        yield at


@dataclass
class Traffic:
    """What one direction carried: whole frames and lines, how many of them were spoilt, and all bytes."""

    chunks: int = 0
    spoilt: int = 0
    bytes: int = 0


class SpoiltStream:
    """A byte stream in which of every so many frames and lines one has a flipped bit, each by chance of its own.

    Parameters
    ----------
    stream
        What is spoilt.
    one_in
        Mean number of chunks to one that is spoilt; 0 spoils nothing.
    seed
        The same choices for the same chunks.

    Attributes
    ----------
    to_device, from_device
        What both directions carried.
    """

    def __init__(self, stream: ByteStream, one_in: int, seed: int) -> None:
        self._stream = stream
        self._rate = 1 / one_in if one_in else 0.0
        # A generator for each direction: how they interleave changes from run to run.
        self._there, self._back = random.Random(f"{seed} to"), random.Random(f"{seed} from")
        self.to_device, self.from_device = Traffic(), Traffic()
        self._unfinished = b""

    def _spoil(self, content: bytes, chance: random.Random, traffic: Traffic) -> bytes:
        spoilt, begin = bytearray(content), 0
        for end in chunk_ends(content):
            if end - begin > 2:
                traffic.chunks += 1
                if chance.random() < self._rate:
                    traffic.spoilt += 1
                    spoilt[chance.randrange(begin + 1, end - 1)] ^= 1 << chance.randrange(8)
            begin = end
        traffic.bytes += len(content)
        return bytes(spoilt)

    def write(self, content: bytes) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`; ``content`` is whole frames or lines."""
        self._stream.write(self._spoil(content, self._there, self.to_device))

    def read(self, seconds: float) -> bytes:
        """See :class:`scenelet.targets.serial.streams.ByteStream`; what has no end yet is kept back."""
        content = self._unfinished + self._stream.read(seconds)
        end = max(chunk_ends(content), default=0)
        self._unfinished = content[end:]
        return self._spoil(content[:end], self._back, self.from_device)

    def close(self) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        self._stream.close()
