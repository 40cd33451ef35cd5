"""Common base of the targets that hand the .tflite to native code which trusts it.

LiteRT and TFLite Micro check little of a file: a tensor without a scale aborts the process, a wrong shape writes past a
buffer. So a model comes to them in one of two ways. One that keeps every rule of the compiler (shapes, types, scales,
options and constants of each operator) runs in this process, where nothing is slower than it was. Any other one, such
as a model with an operator that only the interpreter knows, runs in a child process for as long as the target is open:
which input ends it cannot be known from a trial run, and memory that a trial damaged unseen would be this process's.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..compiler.operators import require_supported
from ..errors import UnsupportedError
from ..tflite import object_model
from .base import Values
from .interpreter import LocalTarget
from .isolation import ChildDied, Isolated

_REMEDY = "convert the model again"
_LONGEST = 240
"""Characters of an interpreter's complaint, which may name every tensor."""


# Where a sentence ends although the next one follows at once: after a whole word, a number or a bracket, or before a
# capital. The stops in kernels/conv.cc, in 0.02 and in output->quantization.type are none.
_JOINED = re.compile(r"(\s[^\W\d_]+|\s\d+|[)\]'\"])\.(?=[^\W\d])|(\w)\.(?=[A-Z][a-z])")
_ENDS = re.compile(r"\.\s+|\s*\n\s*")


def readable(complaint: str) -> str:
    """Make one line of what an interpreter says: each of its sentences once, with spaces between them.

    LiteRT puts its messages after one another without any.
    """
    sentences = dict.fromkeys(part.strip().rstrip(".") for part in _ENDS.split(_JOINED.sub(r"\1\2. ", complaint)))
    return shorten(". ".join(filter(None, sentences)), _LONGEST, placeholder=" [...]")


class Interpreter(Protocol):
    """What a native interpreter does; it raises ValueError or RuntimeError with its own words where it cannot."""

    def set_input(self, number: int, values: NDArray[Any]) -> None:
        """Give the values of an input, by its position among the model's."""
        ...

    def invoke(self) -> None:
        """Run the model on its inputs."""
        ...

    def reset(self) -> None:
        """Give the model's state its initial values."""
        ...

    def output(self, number: int) -> NDArray[Any]:
        """Values of an output after :meth:`invoke`, by its position among the model's."""
        ...

    def value(self, index: int) -> NDArray[Any]:
        """Values of a tensor after :meth:`invoke`."""
        ...


class NativeTarget(LocalTarget):
    """A target whose interpreter is native code.

    Raises
    ------
    UnsupportedError
        The interpreter refuses the model or dies of it.
    """

    title: str
    """What the interpreter is called in messages."""

    def __init__(self, model: str | Path | bytes) -> None:
        super().__init__(model)
        try:
            require_supported(self.graph)
            self.refusal: UnsupportedError | None = None
        except UnsupportedError as error:
            self.refusal = error
        self._children: list[Isolated] = []
        try:
            content = self._given()
        except object_model.BROKEN_FILE:  # raised by what rewrites a file that breaks the rules
            raise self.refusal or object_model.damaged(self.subject) from None
        self._interpreter = self._open(content)

    def _given(self) -> bytes:
        """The model as the interpreter gets it."""
        return self.content

    @abstractmethod
    def _factory(self) -> type[Interpreter]:
        """The interpreter's class, made of a model's bytes and further plain arguments."""

    def _open(self, content: bytes, *arguments: int | str) -> Any:
        """Make an interpreter here or, of a model that breaks the compiler's rules, in a child process."""
        if self.refusal is None:
            return self._ask(self._factory(), content, *arguments)
        child = self._ask(Isolated, self._factory(), content, *arguments)
        self._children.append(child)
        return child

    def _ask(self, call: Any, *arguments: Any) -> Any:
        """Call the interpreter; its complaints and its death become one line."""
        try:
            return call(*arguments)
        except ChildDied as death:
            why = f" ({self.refusal.subject}: {self.refusal.problem})" if self.refusal else ""
            problem = f"{self.title} dies of it with {death}{why}"
        except (RuntimeError, ValueError, MemoryError) as error:
            problem = f"{self.title} refuses it: {readable(str(error)) or 'no reason given'}"
        raise UnsupportedError(self.subject, problem, self.refusal.remedy if self.refusal else _REMEDY)

    def reset(self) -> None:
        """See :class:`LocalTarget`."""
        self._ask(self._interpreter.reset)

    def infer(self, inputs: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], ...]:
        """See :class:`LocalTarget`."""
        for number, values in enumerate(inputs):
            self._ask(self._interpreter.set_input, number, values)
        self._ask(self._interpreter.invoke)
        made = enumerate(self.outputs)
        return tuple(self._shown(one.index, self._ask(self._interpreter.output, number)) for number, one in made)

    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        """See :class:`LocalTarget`."""
        self.infer(self.one_each(one))
        shown = [tensor.index for tensor in self.activations() if tensor.dtype in ("int8", "int16")]
        return {index: self._shown(index, self._ask(self._interpreter.value, index)) for index in shown}

    def _shown(self, index: int, values: NDArray[Any]) -> NDArray[np.int8]:
        """A tensor's values in the file's shape; an interpreter may have found another one."""
        tensor = self.graph.tensors[index]
        if values.dtype != tensor.dtype or values.size != tensor.elements:
            made = f"{self.title} makes {values.dtype} {values.shape} of tensor {index}"
            called = f"which the file calls {tensor.dtype} {tensor.shape}"
            raise UnsupportedError(self.subject, f"{made}, {called}", _REMEDY)
        return np.asarray(values).reshape(tensor.shape)

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.close()
