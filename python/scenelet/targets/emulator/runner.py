"""What the measuring program (firmware/measure/runner) can be asked, and what it answers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ..build import cortex_m4
from .process import Pipes

_END_OF_TENSORS = 0xFFFFFFFF


class _Request(IntEnum):
    RUN, TENSORS, MEASURE, FEATURES, FRAME, COUNT, STAGES, PROFILE = range(8)


@dataclass(frozen=True)
class Sizes:
    """Of the model that was compiled into the runner: bytes of its input and output, and its steps."""

    input_bytes: int
    output_bytes: int
    steps: int


def instructions(cycles: int) -> int:
    """Instructions in a number of the emulated board's cycles, where QEMU counts one instruction as one nanosecond.

    A cycle of 168 MHz is 5.95 ns, so a count is exact to about 6 instructions.
    """
    hertz = int(str(cortex_m4.board()["build"]["f_cpu"]).rstrip("L"))
    return round(cycles * 1_000_000_000 / hertz)


class Runner:
    """Talks to a running measuring program.

    Parameters
    ----------
    pipes
        The board that runs it.
    sizes
        Of its model.
    """

    def __init__(self, pipes: Pipes, sizes: Sizes) -> None:
        self._pipes = pipes
        self._sizes = sizes

    def _ask(self, request: _Request, content: bytes) -> None:
        self._pipes.send(struct.pack("<I", request) + content)

    def _cycles(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}Q", self._pipes.receive(8 * count))

    def run(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """Output of one input, flat."""
        self._ask(_Request.RUN, one.tobytes())
        return np.frombuffer(self._pipes.receive(self._sizes.output_bytes), np.int8)

    def tensors(self, one: NDArray[np.int8]) -> Iterator[tuple[int, NDArray[np.int8]]]:
        """Tensor index and values, flat, of every tensor that lies in the arena after a step."""
        self._ask(_Request.TENSORS, one.tobytes())
        while True:
            index, count = struct.unpack("<II", self._pipes.receive(8))
            if index == _END_OF_TENSORS:
                return
            yield index, np.frombuffer(self._pipes.receive(count), np.int8)

    def measure(self, one: NDArray[np.int8]) -> list[int]:
        """Instructions of each step of the network; meaningful only where QEMU counts instructions."""
        self._ask(_Request.MEASURE, one.tobytes())
        return [instructions(cycles) for cycles in self._cycles(self._sizes.steps)]

    def measure_stages(self, one: NDArray[np.int8]) -> list[tuple[int, ...]]:
        """Instructions inside each step: of its schedule, then of each stage of its segment; needs probes.

        Unlike :meth:`measure`, a sum of many short laps, each exact to 6 instructions.
        """
        self._ask(_Request.STAGES, one.tobytes())
        steps = []
        for _ in range(self._sizes.steps):
            (places,) = struct.unpack("<I", self._pipes.receive(4))
            steps.append(tuple(instructions(cycles) for cycles in self._cycles(places)))
        return steps

    def profile(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """Output of one input, flat, computed while a plugin of QEMU watches; needs probes."""
        self._ask(_Request.PROFILE, one.tobytes())
        return np.frombuffer(self._pipes.receive(self._sizes.output_bytes), np.int8)

    def features(self, clip: NDArray[np.int32]) -> NDArray[np.int8]:
        """INT8 features of one clip, flat."""
        self._ask(_Request.FEATURES, clip.astype("<i4").tobytes())
        return np.frombuffer(self._pipes.receive(self._sizes.input_bytes), np.int8)

    def measure_frame(self, frame: NDArray[np.int32]) -> int:
        """Instructions of one frame of the front end; ``frame`` holds n_fft samples."""
        self._ask(_Request.FRAME, frame.astype("<i4").tobytes())
        return instructions(self._cycles(1)[0])

    def count(self, number: int) -> int:
        """Count a loop of ``number`` (even) instructions: a test of the counter itself."""
        self._ask(_Request.COUNT, struct.pack("<I", number))
        return instructions(self._cycles(1)[0])
