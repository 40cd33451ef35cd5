"""TFLite Micro's interpreter on this computer (PyPI ``tflite-micro``): a peer, and a second reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.stderr import capture_stderr
from ..errors import ToolError, UnsupportedError
from .interpreter import LocalTarget

# Enough for any model that fits a microcontroller, with all its tensors preserved.
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
        self._interpreter = self._open(self.interior_model, "kPreserveAllTensors")

    def _open(self, content: bytes, config: str) -> Any:
        runtime = _runtime()
        made: list[Any] = []

        def create() -> None:
            mode = runtime.InterpreterConfig[config]
            made.append(runtime.Interpreter.from_bytes(content, arena_size=_ARENA_BYTES, intrepreter_config=mode))

        try:
            printed = capture_stderr(create)
        except (RuntimeError, ValueError) as error:
            printed = str(error)
        if not made:
            reason = next(iter(printed.strip().splitlines()), "no reason given")
            raise UnsupportedError(self.subject, f"TFLM refuses it: {reason}")
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
            Bytes: "total", "head" (activations and scratch, the same on every machine) and "tail" (persistent
            structures, with this computer's pointers: about twice as large as on a Cortex-M).
        """
        recording = self._open(self.content, "kAllocationRecording")
        recording.set_input(np.zeros(self.input.shape, self.input_end.outer.dtype), 0)
        recording.invoke()
        printed = capture_stderr(recording.print_allocations)
        found = dict(re.findall(r"Arena allocation (total|head|tail) (\d+) bytes", printed))
        if len(found) != 3:
            raise ToolError("tflite-micro", "does not print its allocations", "install a release of 2025 or later")
        return {part: int(size) for part, size in found.items()}
