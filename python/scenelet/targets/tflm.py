"""TFLite Micro's interpreter on this computer (PyPI ``tflite-micro``): a peer, and a second reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.stderr import capture_stderr
from ..errors import ToolError, UnsupportedError
from ..graph import Graph
from ..tflite import object_model
from .native import NativeTarget

# Enough for any model that fits a microcontroller, with all its tensors preserved.
_ARENA_BYTES = 16_000_000


def _runtime() -> Any:
    try:
        from tflite_micro import runtime
    except ImportError:
        remedy = "pip install tflite-micro, which has packages for Linux on x86-64"
        raise ToolError("tflite-micro", "not installed", remedy) from None
    return runtime


class TflmInterpreter:
    """TFLite Micro on a model's bytes, with its reference kernels; see :class:`.native.Interpreter`."""

    def __init__(self, content: bytes, config: str) -> None:
        self._content, self._config = content, config
        self.reset()

    def reset(self) -> None:
        """See :class:`.native.Interpreter`; this opens the model anew."""
        content, config = self._content, self._config
        runtime = _runtime()
        made: list[Any] = []
        reason = ""

        def create() -> None:
            nonlocal reason
            mode = runtime.InterpreterConfig[config]
            try:
                made.append(runtime.Interpreter.from_bytes(content, arena_size=_ARENA_BYTES, intrepreter_config=mode))
            except (RuntimeError, ValueError) as error:
                reason = str(error)

        printed = capture_stderr(create)  # TFLM prints the reason and raises a general error
        if not made:
            raise ValueError(next(iter(printed.strip().splitlines()), reason))
        self._interpreter = made[0]

    def set_input(self, number: int, values: NDArray[Any]) -> None:
        """See :class:`.native.Interpreter`."""
        self._interpreter.set_input(values, number)

    def invoke(self) -> None:
        """See :class:`.native.Interpreter`."""
        self._interpreter.invoke()

    def output(self, number: int) -> NDArray[Any]:
        """See :class:`.native.Interpreter`."""
        return np.asarray(self._interpreter.get_output(number))

    def value(self, index: int) -> NDArray[Any]:
        """See :class:`.native.Interpreter`."""
        return np.asarray(self._interpreter.GetTensor(index, 0)["tensor_data"])

    def allocations(self) -> str:
        """What the recording allocator prints."""
        return capture_stderr(self._interpreter.print_allocations)


class TflmTarget(NativeTarget):
    """TFLite Micro with its reference kernels and all tensors preserved."""

    name = "tflm"
    title = "TFLM"

    def __init__(self, model: str | Path | bytes) -> None:
        _runtime()
        super().__init__(model)

    def _given(self) -> bytes:
        return self.interior_model

    def _factory(self) -> type[TflmInterpreter]:
        return TflmInterpreter

    def _open(self, content: bytes, *arguments: int | str) -> Any:
        _require_careful(self.subject, self.graph)
        # LiteRT verifies a file's offsets, TFLM follows them. Packed anew, none can point outside.
        whole = object_model.repack(content, self.subject)
        return super()._open(whole, *(arguments or ("kPreserveAllTensors",)))

    def arena_bytes(self) -> dict[str, int]:
        """Measure TFLM's arena with its recording allocator.

        Returns
        -------
        dict
            Bytes: "total", "head" (activations and scratch, the same on every machine) and "tail" (persistent
            structures, with this computer's pointers: about twice as large as on a Cortex-M).
        """
        recording = self._open(self.content, "kAllocationRecording")
        for number, end in enumerate(self.input_ends):
            self._ask(recording.set_input, number, np.zeros(end.outer.shape, end.outer.dtype))
        self._ask(recording.invoke)
        printed = self._ask(recording.allocations)
        found = dict(re.findall(r"Arena allocation (total|head|tail) (\d+) bytes", printed))
        if len(found) != 3:
            raise ToolError("tflite-micro", "does not print its allocations", "install a release of 2025 or later")
        return {part: int(size) for part, size in found.items()}


def _require_careful(subject: str, graph: Graph) -> None:
    """Refuse what TFLM follows without a look: a depth multiplier that contradicts the shapes, an SVDF without bias."""
    for operator in graph.operators:
        if operator.op == "SVDF" and operator.inputs[3] < 0:
            where = f"TFLM would read the bias of {graph.layer_name(operator)}, which has none"
            raise UnsupportedError(subject, where, "give it a bias of zeros")
        if operator.op != "DEPTHWISE_CONV_2D":
            continue
        channels, outputs = (graph.tensors[index].shape[-1:] for index in (operator.inputs[0], operator.outputs[0]))
        stated = int(operator.attributes["depth_multiplier"])
        if (channels[0] * stated,) != outputs:
            where = f"TFLM would take {graph.layer_name(operator)}'s depth multiplier of {stated} from its options"
            raise UnsupportedError(subject, f"{where}, which its shapes contradict", "convert the model again")
