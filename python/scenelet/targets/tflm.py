"""TFLite Micro's own interpreter on this computer (PyPI ``tflite-micro``): the peer, and a second reference."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ToolError, UnsupportedError
from .interpreter import LocalTarget

# Enough for any model within a microcontroller's memory with all its tensors preserved.
_ARENA_BYTES = 16_000_000


def _runtime() -> Any:
    try:
        from tflite_micro import runtime
    except ImportError:
        raise ToolError("tflite-micro", "not installed", "pip install 'scenelet[tflm]'") from None
    return runtime


class TflmTarget(LocalTarget):
    """TFLite Micro with its reference kernels and all tensors preserved."""

    name = "tflm"

    def __init__(self, model: str | Path | bytes) -> None:
        super().__init__(model)
        self._interpreter = self._open("kPreserveAllTensors")

    def _open(self, config: str) -> Any:
        runtime = _runtime()
        made: list[Any] = []

        def create() -> None:
            mode = runtime.InterpreterConfig[config]
            made.append(runtime.Interpreter.from_bytes(self.content, arena_size=_ARENA_BYTES, intrepreter_config=mode))

        try:
            said = _standard_error_of(create)
        except (RuntimeError, ValueError) as error:
            said = str(error)
        if not made:
            told = said.strip().splitlines()
            raise UnsupportedError(self.subject, f"TFLM refuses it: {told[0] if told else 'no reason given'}")
        return made[0]

    def invoke(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """See :class:`LocalTarget`."""
        self._interpreter.set_input(one, 0)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_output(0), np.int8)

    def tensors(self, one: NDArray[np.int8]) -> dict[int, NDArray[np.int8]]:
        """See :class:`LocalTarget`."""
        self.invoke(self.shaped(np.asarray(one).reshape(1, -1))[0])
        shown = [tensor for tensor in self.activations() if tensor.dtype == "int8"]
        return {
            tensor.index: np.asarray(self._interpreter.GetTensor(tensor.index, 0)["tensor_data"]).reshape(tensor.shape)
            for tensor in shown
        }

    def arena_bytes(self) -> dict[str, int]:
        """Measure TFLM's arena with its recording allocator.

        Returns
        -------
        dict
            "total", "head" (activations and scratch: the same on every machine) and "tail" (its structures, with this
            computer's pointers: about twice a Cortex-M's), bytes.
        """
        recording = self._open("kAllocationRecording")
        recording.set_input(np.zeros(self.input.shape, np.int8), 0)
        recording.invoke()
        said = _standard_error_of(recording.print_allocations)
        found = dict(re.findall(r"Arena allocation (total|head|tail) (\d+) bytes", said))
        if len(found) != 3:
            raise ToolError("tflite-micro", "does not print its allocations", "install a release of 2025 or later")
        return {part: int(size) for part, size in found.items()}


def _standard_error_of(call: Callable[[], object]) -> str:
    """Run something that writes to the process's standard error from C++, and return what it wrote."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            call()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        caught.seek(0)
        return caught.read().decode("utf-8", "replace")
