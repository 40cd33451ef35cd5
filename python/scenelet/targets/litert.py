"""TFLite's interpreter with its reference kernels: the reference of every other target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from ..errors import UnsupportedError
from ..tflite.sums_in_uint8 import rewritten
from .interpreter import LocalTarget


class LitertTarget(LocalTarget):
    """LiteRT with ``BUILTIN_REF`` and all tensors preserved; the default kernels (XNNPACK) differ in some bits.

    It computes INT8 SUM in uint8 (:mod:`scenelet.tflite.sums_in_uint8`).
    """

    name = "litert"

    def __init__(self, model: str | Path | bytes) -> None:
        super().__init__(model)
        try:
            self._interpreter = Interpreter(
                model_content=rewritten(self.interior_model, self.subject),
                experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=True,
            )
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise UnsupportedError(self.subject, f"LiteRT refuses it: {error}", "convert the model again") from None

    def invoke(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """See :class:`LocalTarget`."""
        self._interpreter.set_tensor(self.input.index, one)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self.output.index), np.int8)

    def tensors(self, one: NDArray[np.int8]) -> dict[int, NDArray[np.int8]]:
        """See :class:`LocalTarget`."""
        self.invoke(self.shaped(np.asarray(one).reshape(1, -1))[0])
        shown = [tensor for tensor in self.activations() if tensor.dtype == "int8"]
        return {
            tensor.index: np.asarray(self._interpreter.get_tensor(tensor.index)).reshape(tensor.shape)
            for tensor in shown
        }
