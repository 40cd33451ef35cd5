"""A serial line with injected bit errors, repeatable by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from .framing import Type
from .streams import ByteStream


def chunk_ends(content: bytes) -> Iterator[int]:
    """Offsets after each whole frame (both delimiters included) and each whole text line; a partial one is left out."""
    at = 0
    while at < len(content):
        if content[at]:
            end = content.find(b"\n", at)
        elif at + 2 >= len(content):
            return  # the type byte, which separates frames from lines, has not arrived yet
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
    """Traffic of one direction: whole frames and lines, how many of them got a flipped bit, and bytes."""

    chunks: int = 0
    corrupted: int = 0
    bytes: int = 0

    def to_json(self) -> dict[str, int]:
        """All fields; ``corrupted`` under its published key."""
        return {"chunks": self.chunks, "spoilt": self.corrupted, "bytes": self.bytes}


class FaultyStream:
    """A byte stream that flips one bit in a random share of the frames and lines, each chosen independently.

    Parameters
    ----------
    stream
        The line underneath.
    one_in
        Mean number of frames and lines per flipped bit; 0 flips none.
    seed
        Makes the same choices for the same traffic.

    Attributes
    ----------
    to_device, from_device
        Traffic of both directions.
    """

    def __init__(self, stream: ByteStream, one_in: int, seed: int) -> None:
        self._stream = stream
        self._rate = 1 / one_in if one_in else 0.0
        # One generator per direction, since their interleaving differs between runs.
        self._there, self._back = random.Random(f"{seed} to"), random.Random(f"{seed} from")
        self.to_device, self.from_device = Traffic(), Traffic()
        self._unfinished = b""

    def _corrupt(self, content: bytes, chance: random.Random, traffic: Traffic) -> bytes:
        result, begin = bytearray(content), 0
        for end in chunk_ends(content):
            if end - begin > 2:
                traffic.chunks += 1
                if chance.random() < self._rate:
                    traffic.corrupted += 1
                    result[chance.randrange(begin + 1, end - 1)] ^= 1 << chance.randrange(8)
            begin = end
        traffic.bytes += len(content)
        return bytes(result)

    def write(self, content: bytes) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`; ``content`` is whole frames or lines."""
        self._stream.write(self._corrupt(content, self._there, self.to_device))

    def read(self, seconds: float) -> bytes:
        """See :class:`scenelet.targets.serial.streams.ByteStream`; a partial frame or line waits for its rest."""
        content = self._unfinished + self._stream.read(seconds)
        end = max(chunk_ends(content), default=0)
        self._unfinished = content[end:]
        return self._corrupt(content[:end], self._back, self.from_device)

    def close(self) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        self._stream.close()
