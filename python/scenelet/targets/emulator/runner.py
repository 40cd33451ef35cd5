"""Requests to the measuring program (firmware/measure/runner), and its responses."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ...core import cortex_m4
from .process import Pipes

_END_OF_TENSORS = 0xFFFFFFFF


class _Request(IntEnum):
    RUN, TENSORS, MEASURE, FEATURES, FRAME, COUNT, STAGES, PROFILE, PROFILE_FRAME, RESET = range(10)


@dataclass(frozen=True)
class Sizes:
    """Sizes of the model that is compiled into the measuring program: bytes of all inputs and outputs, steps."""

    input_bytes: int
    output_bytes: int
    steps: int


def instructions(cycles: int) -> int:
    """Convert cycles of the emulated board to instructions, where QEMU counts one instruction as one nanosecond.

    A cycle of 168 MHz is 5.95 ns, so a count is exact to about 6 instructions.
    """
    hertz = int(str(cortex_m4.board()["build"]["f_cpu"]).rstrip("L"))
    return round(cycles * 1_000_000_000 / hertz)


class Runner:
    """Client of a running measuring program. Several inputs or outputs follow one another in one flat array.

    Parameters
    ----------
    pipes
        The board that runs it.
    sizes
        Sizes of its model.
    """

    def __init__(self, pipes: Pipes, sizes: Sizes) -> None:
        self._pipes = pipes
        self._sizes = sizes

    def _ask(self, request: _Request, content: bytes) -> None:
        self._pipes.send(struct.pack("<I", request) + content)

    def reset(self) -> None:
        """Give the network's state its initial values."""
        self._ask(_Request.RESET, b"")

    def _cycles(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}Q", self._pipes.receive(8 * count))

    def run(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """Network output for one input, flat."""
        self._ask(_Request.RUN, one.tobytes())
        return np.frombuffer(self._pipes.receive(self._sizes.output_bytes), np.int8)

    def tensors(self, one: NDArray[np.int8]) -> Iterator[tuple[int, NDArray[np.int8]]]:
        """Tensor index and flat values of every tensor that is in the arena after the step that computes it."""
        self._ask(_Request.TENSORS, one.tobytes())
        while True:
            index, count = struct.unpack("<II", self._pipes.receive(8))
            if index == _END_OF_TENSORS:
                return
            yield index, np.frombuffer(self._pipes.receive(count), np.int8)

    def measure(self, one: NDArray[np.int8]) -> list[int]:
        """Instructions of each step of the network; valid only with :data:`~.process.COUNT_INSTRUCTIONS`."""
        self._ask(_Request.MEASURE, one.tobytes())
        return [instructions(cycles) for cycles in self._cycles(self._sizes.steps)]

    def measure_stages(self, one: NDArray[np.int8]) -> list[tuple[int, ...]]:
        """Instructions of each step by part: its schedule, then each stage of its segment; needs probes.

        Unlike in :meth:`measure`, each count is a sum over many short intervals, each exact to 6 instructions.
        """
        self._ask(_Request.STAGES, one.tobytes())
        steps = []
        for _ in range(self._sizes.steps):
            (places,) = struct.unpack("<I", self._pipes.receive(4))
            steps.append(tuple(instructions(cycles) for cycles in self._cycles(places)))
        return steps

    def profile(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """Network output for one input, flat, while a plugin of QEMU traces it; needs probes."""
        self._ask(_Request.PROFILE, one.tobytes())
        return np.frombuffer(self._pipes.receive(self._sizes.output_bytes), np.int8)

    def profile_frame(self, frame: NDArray[np.int32]) -> None:
        """Compute one frame of the front end while a plugin of QEMU traces it; needs probes."""
        self._ask(_Request.PROFILE_FRAME, frame.astype("<i4").tobytes())
        self._pipes.receive(self._sizes.input_bytes)

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
