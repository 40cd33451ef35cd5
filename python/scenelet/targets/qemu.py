"""The emulated board: the product firmware classifies audio, the measuring program gives tensors and instructions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..compiler import pipeline
from ..compiler.options import DEFAULT, Options
from ..core import cortex_m4
from ..frontend.codegen import render_frontend
from ..frontend.tables import Tables
from ..graph import limits
from ..tflite.metadata import limits_of
from .base import Heard, Values
from .build import platformio
from .emulator import process
from .emulator.block_trace import BlockCount, FlashModel, trace_inference
from .emulator.runner import Runner, Sizes
from .emulator.serial_port import SerialBoard
from .interpreter import LocalTarget, shown_inputs
from .known_answer import render_known_answer
from .serial.client import Device, audio_contents, scores_of
from .serial.clip_lines import clip_scores_of
from .serial.framing import Input

_MAX_BOARDS = 4
_WINDOWS_PER_BOARD = 8


@contextmanager
def boot(elf: Path, options: Sequence[str] = ()) -> Iterator[Device]:
    """Start a product firmware in QEMU and open it over its serial port, after its boot lines and self-test.

    Parameters
    ----------
    elf
        Program, built for any board of the project.
    options
        Further options of QEMU.

    Raises
    ------
    ToolError
        QEMU is missing, or the firmware does not start.
    """
    with SerialBoard(elf, options) as board:
        device = Device(board)
        device.wait_ready()
        yield device


@dataclass(frozen=True)
class Counts:
    """Instructions of one inference on the emulated board.

    Attributes
    ----------
    steps
        Instructions of each step of the network, in order.
    frame
        Instructions of one frame of the front end; None for a model without one.
    """

    steps: tuple[int, ...]
    frame: int | None


class QemuTarget(LocalTarget):
    """Runs a model on the emulated Cortex-M4.

    ``run``, ``tensors`` and ``measure`` use the measuring program, which needs only the cross compiler and QEMU.
    ``classify`` sends audio to the product firmware, which PlatformIO builds.

    Parameters
    ----------
    model
        Path of an INT8 .tflite, or its bytes.
    options
        Compiler options.

    Raises
    ------
    ModelError
        The model cannot be read or compiled.
    """

    name = "qemu"

    def __init__(self, model: str | Path | bytes, options: Options = DEFAULT) -> None:
        self.compiled = pipeline.compile_model(model, options)
        super().__init__(model)
        self._resources = ExitStack()
        self._runner: Runner | None = None
        self._devices: list[Device] = []

    def infer(self, inputs: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], ...]:
        """See :class:`LocalTarget`."""
        return self.split(self._measuring().run(self.packed(inputs)))

    def reset(self) -> None:
        """See :class:`LocalTarget`; the measuring program starts so."""
        if self._runner is not None:
            self._runner.reset()

    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        """See :class:`LocalTarget`."""
        shaped = self.one_each(one)
        shown = shown_inputs(self, self.compiled.program, shaped)
        shown |= dict(self._measuring().tensors(self.packed(shaped)))
        return {index: self.typed(index, values) for index, values in shown.items()}

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """See :class:`LocalTarget`; every window is sent over an emulated serial port.

        A window of 1 s takes QEMU about 0.13 s of CPU time (docs/results/stream.md). Many windows are shared among
        several emulated boards.
        """
        audio_contents(windows, self.tables.config)
        boards = max(1, min(os.cpu_count() or 1, _MAX_BOARDS, len(windows) // _WINDOWS_PER_BOARD))
        if self.stateful:
            boards = 1  # each window needs the state that the one before it leaves
        self._boot(boards)
        pool = ThreadPoolExecutor(boards)
        try:
            parts = pool.map(self._stream, self._devices[:boards], np.array_split(windows, boards))
            return np.concatenate(list(parts))
        except BaseException:
            self.close()  # else the pool's end waits until every board has done its part
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def hear(self, windows: NDArray[np.int32]) -> Heard:
        """See :class:`LocalTarget`; one board hears all windows, and its own clip head answers."""
        if self.clip_head is None:
            return super().hear(windows)
        self._boot(1)
        scores, silent = self._stream(self._devices[0], windows), self.silent(windows)
        return Heard(scores, silent, clip_scores_of(self._devices[0].clip_scores, silent, scores.shape[-1]))

    def _boot(self, boards: int) -> None:
        while len(self._devices) < boards:
            self._devices.append(self._resources.enter_context(boot(self.product_elf)))

    def _stream(self, device: Device, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        contents = audio_contents(windows, self.tables.config)
        decisions = device.decide(contents, Input.AUDIO, self.compiled.identity.sha256, self.tables.sha256)
        return scores_of(decisions, self.output.shape[1:])

    def measure_stages(self, one: Values | None = None) -> list[tuple[int, ...]]:
        """Count the instructions inside each step: its schedule, then each stage of its depth-first segment.

        They are counted in a program with probes, whose own instructions are subtracted. Steps without a segment have
        one entry.

        Parameters
        ----------
        one
            The network's input, or several; random by default.
        """
        with process.Pipes(self.probing_elf, process.COUNT_INSTRUCTIONS) as pipes:
            return Runner(pipes, self._sizes).measure_stages(self._input_or_noise(one))

    def measure(self, one: Values | None = None, frame: NDArray[np.int32] | None = None) -> Counts:
        """Count the instructions of one inference, step by step, and of one frame of the front end.

        Parameters
        ----------
        one
            The network's input, or several; random by default. Counts depend little on it.
        frame
            n_fft samples; full-scale noise by default.

        Returns
        -------
        Counts
            Equal for equal arguments.
        """
        shaped = self._input_or_noise(one)
        with process.Pipes(self.runner_elf, process.COUNT_INSTRUCTIONS) as pipes:
            runner = Runner(pipes, self._sizes)
            counts = runner.measure(shaped)
            if self._tables_or_none is None:
                return Counts(tuple(counts), None)
            return Counts(tuple(counts), runner.measure_frame(self._noise_frame() if frame is None else frame))

    def _noise_frame(self) -> NDArray[np.int32]:
        config = self.tables.config
        limit = 1 << (config.sample_bits - 1)
        return np.random.default_rng(0).integers(-limit, limit, config.n_fft).astype(np.int32)

    def trace_blocks(self, flash: FlashModel, one: Values | None = None) -> list[BlockCount]:
        """Count every block of instructions of one inference, by step and stage, and of one frame of the front end.

        Parameters
        ----------
        flash
            Model of the flash accelerator, with the costs of :attr:`probing_elf`.
        one
            The network's input, or several; random by default.

        Raises
        ------
        ToolError
            The host compiler is missing, or QEMU has no plugin support.
        """
        frame = None if self._tables_or_none is None else self._noise_frame()
        return trace_inference(self.probing_elf, self._sizes, self._input_or_noise(one), flash, frame)

    @cached_property
    def runner_elf(self) -> Path:
        """The measuring program for this model."""
        return cortex_m4.runner(self._engine_sources())

    @cached_property
    def probing_elf(self) -> Path:
        """The measuring program with probes in its depth-first segments."""
        return cortex_m4.runner(self._engine_sources(), probes=True)

    @cached_property
    def product_elf(self) -> Path:
        """The product firmware with this model.

        Raises
        ------
        LimitExceeded
            The model is over its limits; it can be measured, but not built into the product.
        """
        limits.require(self.compiled.cost, self.subject, limits_of(self.compiled.info))
        answer = render_known_answer(self.compiled, self.tables, self.content)
        return platformio.build(self._engine_sources() | answer)

    def _input_or_noise(self, one: Values | None) -> NDArray[np.int8]:
        """The inputs of one inference, flat and one after the other."""
        if one is None:
            chance = np.random.default_rng(0)
            # Full range; INT8 and int16 have types of their own to draw.
            ends = [np.iinfo(tensor.dtype) for tensor in self.inputs]
            drawn = zip(ends, self.inputs, strict=True)
            one = [chance.integers(end.min, end.max + 1, t.elements).astype(t.dtype) for end, t in drawn]
        return self.packed(self.one_each(one))

    def _engine_sources(self) -> dict[str, str]:
        tables = self._tables_or_none
        if tables is None:
            return self.compiled.files()
        return self.compiled.files() | render_frontend(tables, form=self.compiled.options.frontend_form)

    @property
    def _tables_or_none(self) -> Tables | None:
        return self.tables if self.compiled.info else None

    @property
    def _sizes(self) -> Sizes:
        given, made = (sum(tensor.nbytes for tensor in ends) for ends in (self.inputs, self.outputs))
        return Sizes(given, made, len(self.compiled.program.steps))

    def _measuring(self) -> Runner:
        if self._runner is None:
            self._runner = Runner(self._resources.enter_context(process.Pipes(self.runner_elf)), self._sizes)
        return self._runner

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the emulated boards."""
        self._runner = None
        self._devices.clear()
        self._resources.close()
