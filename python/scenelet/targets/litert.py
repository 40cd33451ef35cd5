"""TFLite's interpreter with its reference kernels: the reference of every other target."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from ..tflite import bias_scales, looked_up, sums_in_uint8
from . import native
from .native import NativeTarget


def reference_interpreter(content: bytes) -> Interpreter:
    """Open a model with TFLite's reference kernels, its tensors allocated and all kept after a run."""
    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    return interpreter


def for_reference(model: bytes, source: object = "model") -> bytes:
    """Rewrite what the reference kernels get wrong or lack as what they compute right; the same tensors by index."""
    return looked_up.rewritten(sums_in_uint8.rewritten(model, source), _default_table, source)


def _default_table(model: bytes) -> NDArray[np.int8]:
    """What TFLite's default kernel makes of all INT8 values; ``model`` is one operator over 256 of them."""
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.arange(-128, 128).astype(np.int8).reshape(1, looked_up.VALUES))
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(1)).ravel()


class LitertInterpreter:
    """LiteRT on the bytes of a model; see :class:`.native.Interpreter`."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.reset()

    def reset(self) -> None:
        """See :class:`.native.Interpreter`; LiteRT has no way to run CALL_ONCE twice, so this opens the model anew."""
        self._interpreter = reference_interpreter(self._content)
        self._sources, self._targets = (
            [detail["index"] for detail in details]
            for details in (self._interpreter.get_input_details(), self._interpreter.get_output_details())
        )

    def set_input(self, number: int, values: NDArray[Any]) -> None:
        """See :class:`.native.Interpreter`."""
        self._interpreter.set_tensor(self._sources[number], values)

    def invoke(self) -> None:
        """See :class:`.native.Interpreter`."""
        self._interpreter.invoke()

    def output(self, number: int) -> NDArray[Any]:
        """See :class:`.native.Interpreter`."""
        return self.value(self._targets[number])

    def value(self, index: int) -> NDArray[Any]:
        """See :class:`.native.Interpreter`."""
        return np.asarray(self._interpreter.get_tensor(index))


class LitertTarget(NativeTarget):
    """LiteRT with ``BUILTIN_REF`` and all tensors preserved; the default kernels (XNNPACK) differ in some bits.

    It computes INT8 SUM in uint8 (:mod:`scenelet.tflite.sums_in_uint8`), looks ELU up in the default kernel's table
    (:mod:`scenelet.tflite.looked_up`), and gets biases whose scales are wrong with the right ones
    (:mod:`scenelet.tflite.bias_scales`). SVDF with INT8 state, which the reference kernels lack, runs in TFLite Micro
    (:mod:`scenelet.targets.piecewise`).
    """

    name = "litert"
    title = "LiteRT"

    def _given(self) -> bytes:
        whole = bias_scales.repaired(self.interior_model, self.graph, self.subject)
        return for_reference(whole, self.subject)

    def _factory(self) -> type[native.Interpreter]:
        from .piecewise import PiecewiseInterpreter, is_micros_own  # which needs TFLite Micro

        mixed = any(is_micros_own(self.graph, operator) for operator in self.graph.operators)
        return PiecewiseInterpreter if mixed else LitertInterpreter
