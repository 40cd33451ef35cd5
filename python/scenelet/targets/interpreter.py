"""Common base of the targets: the model, its shapes, and the path from audio to scores."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..compiler.passes import ends
from ..compiler.passes.ends import End
from ..compiler.passes.shapes import fold
from ..compiler.program import Program
from ..errors import InputError, ModelError, UnsupportedError
from ..frontend.available import open_frontend
from ..frontend.silence import silent_windows
from ..frontend.tables import Tables, make_tables
from ..graph import Graph, Tensor
from ..tflite import interior, metadata, reader
from ..tflite.clip_head import ClipHead, clip_scores
from .base import Heard, Values

_MOST_BYTES = 1 << 30
"""Of all feature maps together: a thousand times what a microcontroller holds, and what any computer has."""


class LocalTarget(ABC):
    """A target that runs one input at a time.

    ``graph``, ``inputs`` and ``outputs`` are those between the conversions at a network's ends
    (:mod:`scenelet.compiler.passes.ends`): INT8, whatever the file takes and gives. ``input`` and ``output`` are those
    of a network that has one.

    Parameters
    ----------
    model
        Path of an INT8 .tflite, or its bytes.

    Raises
    ------
    ModelError
        The file cannot be read.
    UnsupportedError
        An input or output is not INT8, or converted to INT8 and from it.
    """

    name: str

    def __init__(self, model: str | Path | bytes) -> None:
        self.subject, label, self.content = reader.load(model)
        self._whole = reader.parse(self.subject, label, self.content)
        self.graph: Graph = ends.interior(fold(self._whole))
        self.inputs = self._ends(self.graph.inputs, "input")
        self.outputs = self._ends(self.graph.outputs, "output")
        self.input_ends: tuple[End, ...] = ends.inputs(self._whole)
        needed = sum(tensor.nbytes for tensor in self.activations())
        if needed > _MOST_BYTES:
            problem = f"its feature maps take {needed:,} bytes, more than {_MOST_BYTES:,}"
            raise UnsupportedError(self.subject, problem, "use a smaller input or fewer channels")

    @property
    def input(self) -> Tensor:
        """The input of a network that has one."""
        return self._only(self.inputs, "input")

    @property
    def output(self) -> Tensor:
        """The output of a network that has one."""
        return self._only(self.outputs, "output")

    @property
    def stateful(self) -> bool:
        """Whether the network keeps state from one inference to the next."""
        return bool(self.graph.variables)

    @abstractmethod
    def reset(self) -> None:
        """Give the network's state the values that it has before the first inference."""

    @abstractmethod
    def infer(self, inputs: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], ...]:
        """Output tensors (any shape) of the input tensors, all with batch dimension, in the file's order.

        A network's state is what the inference before left, also after :meth:`tensors`.
        """

    @abstractmethod
    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        """INT8 activations of one inference.

        Parameters
        ----------
        one
            One input, with or without batch dimension, or an array for each.

        Returns
        -------
        dict
            Tensor index of the .tflite -> values in the tensor's shape; inputs and outputs are always included.
        """

    def invoke(self, one: NDArray[np.int8]) -> NDArray[np.int8]:
        """Output tensor (any shape) of one input tensor, both with batch dimension."""
        self._only(self.outputs, "output")
        return self.infer((one,))[0]

    def run(self, inputs: NDArray[np.generic]) -> NDArray[np.int8]:
        """Run inputs one after the other.

        A network with state starts anew, and keeps it from each input to the next.

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
        UnsupportedError
            The network has several inputs or outputs: :meth:`run_each` runs those.
        """
        self._only(self.inputs, "input")
        self._only(self.outputs, "output")
        return self.run_each((inputs,))[0]

    def run_each(self, inputs: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.int8], ...]:
        """Run a network with any number of inputs and outputs on inputs one after the other.

        Parameters
        ----------
        inputs
            For each input of the network, in the file's order, what :meth:`run` takes; all of one length n.

        Returns
        -------
        tuple of NDArray[np.int8]
            For each output, (n, *its shape without batch).

        Raises
        ------
        InputError
            As :meth:`run`, or the number of arrays, or of values in them, differ.
        """
        shaped = self.shaped_each(inputs)
        if self.stateful:
            self.reset()
        scores = tuple(np.empty((len(shaped[0]), *output.shape[1:]), output.dtype) for output in self.outputs)
        for position, one in enumerate(zip(*shaped, strict=True)):
            for kept, values in zip(scores, self.infer(one), strict=True):
                kept[position] = values.reshape(kept.shape[1:])
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
        return self.run(open_frontend(self.tables).features(windows))

    def silent(self, windows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether windows of audio are silent.

        Parameters
        ----------
        windows
            As :meth:`classify` takes them.

        Returns
        -------
        NDArray[np.bool_]
            (n,); all false where the model's metadata name no level of silence.
        """
        info = metadata.read(self.content, self.subject)
        if info is None or info.silence is None:
            return np.zeros(len(windows), np.bool_)
        return silent_windows(open_frontend(self.tables).features(windows), info.silence)

    @cached_property
    def clip_head(self) -> ClipHead | None:
        """The model's clip head."""
        info = metadata.read(self.content, self.subject)
        return info.clip_head if info else None

    def hear(self, windows: NDArray[np.int32]) -> Heard:
        """See :class:`scenelet.targets.base.Target`."""
        silent = self.silent(windows)
        if self.clip_head is None:
            return Heard(self.classify(windows), silent, None)
        scores, embeddings = self.run_watched(open_frontend(self.tables).features(windows), self.clip_head)
        return Heard(scores, silent, self.clip_answers(embeddings, silent))

    def clip_answers(self, embeddings: NDArray[np.int8], silent: NDArray[np.bool_]) -> NDArray[np.int8] | None:
        """Scores of the clip head after each window of one recording, of embeddings (n, width)."""
        return clip_scores(self.clip_head, embeddings, silent)

    def run_watched(self, inputs: NDArray[np.generic], head: ClipHead) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Scores (n, classes) of inputs as :meth:`run` takes them, and the embeddings (n, width) that a head reads.

        A network with state starts anew, and keeps it from each input to the next.
        """
        if self.stateful:
            self.reset()
        found = [self.watched(one, head) for one in self.shaped(inputs)]
        scores = np.array([one[0] for one in found], np.int8).reshape(len(found), len(head.bias))
        return scores, np.array([one[1] for one in found], np.int8).reshape(len(found), head.width)

    def watched(self, one: NDArray[np.int8], head: ClipHead) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Scores (classes,) of one input, and the embedding (width,) that a head reads."""
        place = next(index for index, tensor in self.graph.tensors.items() if tensor.name == head.tensor)
        found = self.tensors(one)
        return found[self.output.index].reshape(-1), found[place].reshape(-1)

    @cached_property
    def interior_model(self) -> bytes:
        """The .tflite file without the conversions at its ends: its input and output are those of ``graph``."""
        inside = ends.interior(self._whole)
        if inside is self._whole:
            return self.content
        dropped = {one.index for one in self._whole.operators} - {one.index for one in inside.operators}
        return interior.cut(self.content, dropped, inside.inputs, inside.outputs, self.subject)

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
        """Convert the one input's values to INT8 (n, *input shape with batch)."""
        self._only(self.inputs, "input")
        return self.shaped_each((inputs,))[0]

    def shaped_each(self, inputs: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.int8], ...]:
        """Convert values of every input to INT8 (n, *its shape with batch)."""
        if len(inputs) != len(self.inputs):
            given = f"are {len(inputs)} arrays"
            raise InputError(f"inputs of {self.subject}", given, f"give {len(self.inputs)}, in the model's order")
        shaped = tuple(map(self._shaped_one, inputs, self.inputs, self.input_ends))
        lengths = [len(values) for values in shaped]
        if len(set(lengths)) > 1:
            raise InputError(f"inputs of {self.subject}", f"hold {lengths} inputs", "give as many of each")
        return shaped

    def one_each(self, one: Values) -> tuple[NDArray[np.int8], ...]:
        """Convert the values of one inference, with or without batch dimension, to INT8 tensors with it."""
        each = (one,) if isinstance(one, np.ndarray) else tuple(one)
        return tuple(values[0] for values in self.shaped_each([np.asarray(values).reshape(1, -1) for values in each]))

    def _shaped_one(self, inputs: NDArray[np.generic], tensor: Tensor, end: End) -> NDArray[np.int8]:
        array = np.asarray(inputs)
        subject = f"inputs of {self.subject}" if len(self.inputs) == 1 else f"input '{tensor.name}' of {self.subject}"
        if array.dtype.name not in end.types:
            raise InputError(subject, f"are {array.dtype}", f"give {' or '.join(end.types)} values")
        if array.dtype == np.float32 and np.isnan(array).any():
            raise InputError(subject, "hold NaN", "give numbers")
        if array.ndim < 2 or math.prod(array.shape[1:]) != tensor.elements:
            raise InputError(subject, f"have shape {array.shape}", f"give (n, {tensor.shape[1:]}) values")
        return np.ascontiguousarray(end.inwards(array)).reshape(-1, *tensor.shape)

    def typed(self, index: int, content: NDArray[Any]) -> NDArray[Any]:
        """View a tensor's bytes as values of its type, in its shape."""
        tensor = self.graph.tensors[index]
        return content.view(tensor.dtype).reshape(tensor.shape)

    def split(self, packed: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        """Take apart the outputs, flat and one after the other, into tensors of their shapes."""
        ends = np.cumsum([tensor.nbytes for tensor in self.outputs])
        parts = np.split(packed, ends[:-1])
        return tuple(self.typed(tensor.index, part) for part, tensor in zip(parts, self.outputs, strict=True))

    def _only(self, tensors: tuple[Tensor, ...], role: str) -> Tensor:
        if len(tensors) != 1:
            raise UnsupportedError(self.subject, f"has {len(tensors)} {role}s", f"use a model with one {role} for this")
        return tensors[0]

    def _ends(self, indices: tuple[int, ...], role: str) -> tuple[Tensor, ...]:
        tensors = tuple(self.graph.tensors[index] for index in indices)
        for tensor in tensors:
            name = role if len(indices) == 1 else f"{role} '{tensor.name}'"
            if tensor.dtype not in ("int8", "int16"):
                raise UnsupportedError(self.subject, f"{name} is {tensor.dtype}", "convert the model to full INT8")
            if tensor.shape[:1] != (1,):
                problem = f"{name} has shape {tensor.shape}"
                raise UnsupportedError(self.subject, problem, "export the model with batch 1")
        return tensors

    def activations(self) -> list[Tensor]:
        """All inputs and computed tensors of the network that are read, or given out, in the file's order.

        Variable tensors are among them; resource variables are not, but what is read from them is.
        """
        states = {index for index, variable in self.graph.variables.items() if not variable.resource}
        made = {index for operator in self.graph.operators for index in operator.outputs} - set(self.graph.variables)
        read = {index for operator in self.graph.operators for index in operator.inputs}
        wanted = made & (read | set(self.graph.outputs)) | set(self.graph.inputs) | states & read
        return [tensor for index, tensor in sorted(self.graph.tensors.items()) if index in wanted]

    @staticmethod
    def packed(inputs: Sequence[NDArray[np.int8]]) -> NDArray[np.int8]:
        """Put the bytes of the inputs of one inference one after the other."""
        return np.concatenate([np.ravel(values).view(np.int8) for values in inputs])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def shown_inputs(
    target: LocalTarget, program: Program, inputs: Sequence[NDArray[np.int8]]
) -> dict[int, NDArray[np.int8]]:
    """The inputs of one inference by tensor, also under the names that RESHAPE gives them; no step writes those."""
    values = {tensor.index: one for tensor, one in zip(target.inputs, inputs, strict=True)}
    names = [*values, *(alias for alias, held in program.aliases.items() if held in values)]
    return {name: values[program.holder(name)].reshape(target.graph.tensors[name].shape) for name in names}
