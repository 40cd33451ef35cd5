"""Common base of the targets: the model, its shapes, and the path from audio to scores."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..compiler.passes import ends
from ..compiler.passes.ends import End
from ..compiler.passes.shapes import fold
from ..errors import InputError, ModelError, UnsupportedError
from ..frontend import native
from ..frontend.tables import Tables, make_tables
from ..graph import Graph, Tensor
from ..tflite import interior, metadata, reader

_MOST_BYTES = 1 << 30
"""Of all feature maps together: a thousand times what a microcontroller holds, and what any computer has."""


class LocalTarget(ABC):
    """A target that runs one input at a time.

    ``graph``, ``input`` and ``output`` are those between the conversions at a network's ends
    (:mod:`scenelet.compiler.passes.ends`): INT8, whatever the file takes and gives.

    Parameters
    ----------
    model
        Path of an INT8 .tflite, or its bytes.

    Raises
    ------
    ModelError
        The file cannot be read.
    UnsupportedError
        Its input or output is not one tensor that is INT8, or converted to INT8 and from it.
    """

    name: str

    def __init__(self, model: str | Path | bytes) -> None:
        self.subject, label, self.content = reader.load(model)
        self._whole = reader.parse(self.subject, label, self.content)
        self.graph: Graph = ends.interior(fold(self._whole))
        self.input = self._only(self.graph.inputs, "input")
        self.output = self._only(self.graph.outputs, "output")
        self.input_end: End = ends.inputs(self._whole)[0]
        needed = sum(tensor.nbytes for tensor in self.activations())
        if needed > _MOST_BYTES:
            problem = f"its feature maps take {needed:,} bytes, more than {_MOST_BYTES:,}"
            raise UnsupportedError(self.subject, problem, "use a smaller input or fewer channels")

    @abstractmethod
    def invoke(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """Output tensor (any shape) of one input tensor, both with batch dimension."""

    @abstractmethod
    def tensors(self, one: NDArray[np.int8]) -> dict[int, NDArray[np.int8]]:
        """INT8 activations of one inference.

        Parameters
        ----------
        one
            One input, with or without batch dimension.

        Returns
        -------
        dict
            Tensor index of the .tflite -> values in the tensor's shape; input and output are always included.
        """

    def run(self, inputs: NDArray[np.generic]) -> NDArray[np.int8]:
        """Run inputs one after the other.

        Parameters
        ----------
        inputs
            (n, *input shape), with or without the model's batch dimension of 1: INT8, or values of the type that the
            file takes, which are converted as its QUANTIZE does.

        Returns
        -------
        NDArray[np.int8]
            (n, *output shape without batch).

        Raises
        ------
        InputError
            The values have another type, are not numbers, or their number does not fit the model's input.
        """
        shaped = self.shaped(inputs)
        scores = np.empty((len(shaped), *self.output.shape[1:]), np.int8)
        for position, one in enumerate(shaped):
            scores[position] = self.invoke(one).reshape(scores.shape[1:])
        return scores

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """Score audio.

        Parameters
        ----------
        windows
            (n, clip samples) integers of the front end's sample width.

        Returns
        -------
        NDArray[np.int8]
            (n, classes) INT8 scores.

        Raises
        ------
        ModelError
            The model has no front-end settings, or they do not fit its input.
        """
        return self.run(native.features(windows, self.tables))

    @cached_property
    def interior_model(self) -> bytes:
        """The .tflite file without the conversions at its ends: its input and output are those of ``graph``."""
        inside = ends.interior(self._whole)
        if inside is self._whole:
            return self.content
        kept = {operator.index for operator in inside.operators}
        return interior.cut(self.content, kept, inside.inputs, inside.outputs, self.subject)

    @cached_property
    def tables(self) -> Tables:
        """Tables of the model's front end, quantized with the scale and zero point of the model's input."""
        info = metadata.read(self.content, self.subject)
        if info is None:
            raise ModelError(self.subject, "has no front-end settings", "give INT8 tensors instead of audio")
        config = info.frontend
        if config.n_mels * config.frames != self.input.elements:
            made = f"its front end makes {config.n_mels}x{config.frames} values, its input is {self.input.shape}"
            raise ModelError(self.subject, made, "quantize the run again")
        quantization = self.input.quantization
        if quantization is None:
            raise UnsupportedError(self.subject, "its input has no scale", "convert the model to full INT8")
        return make_tables(config, float(quantization.scale[0]), int(quantization.zero_point[0]))

    def shaped(self, inputs: NDArray[np.generic]) -> NDArray[np.int8]:
        """Convert inputs to INT8 (n, *input shape with batch)."""
        array = np.asarray(inputs)
        shape = self.input.shape
        types = self.input_end.types
        if array.dtype.name not in types:
            raise InputError(f"inputs of {self.subject}", f"are {array.dtype}", f"give {' or '.join(types)} values")
        if array.dtype == np.float32 and np.isnan(array).any():
            raise InputError(f"inputs of {self.subject}", "hold NaN", "give numbers")
        if array.ndim < 2 or math.prod(array.shape[1:]) != self.input.elements:
            raise InputError(f"inputs of {self.subject}", f"have shape {array.shape}", f"give (n, {shape[1:]}) values")
        return np.ascontiguousarray(self.input_end.to_int8(array)).reshape(-1, *shape)

    def _only(self, indices: tuple[int, ...], role: str) -> Tensor:
        if len(indices) != 1:
            raise UnsupportedError(self.subject, f"{len(indices)} {role}s", f"export the model with one {role}")
        tensor = self.graph.tensors[indices[0]]
        if tensor.dtype != "int8":
            raise UnsupportedError(self.subject, f"{role} is {tensor.dtype}", "convert the model to full INT8")
        if tensor.shape[:1] != (1,):
            raise UnsupportedError(self.subject, f"{role} has shape {tensor.shape}", "export the model with batch 1")
        return tensor

    def activations(self) -> list[Tensor]:
        """All inputs and computed tensors of the network that are read, or given out, in the file's order."""
        made = {index for operator in self.graph.operators for index in operator.outputs}
        read = {index for operator in self.graph.operators for index in operator.inputs}
        wanted = made & (read | set(self.graph.outputs)) | set(self.graph.inputs)
        return [tensor for index, tensor in sorted(self.graph.tensors.items()) if index in wanted]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None
