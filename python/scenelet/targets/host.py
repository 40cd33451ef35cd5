"""The generated C and the firmware's engine, compiled for this computer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from ..compiler import pipeline
from ..compiler.memory.placement import ALIGNMENT
from ..compiler.options import DEFAULT, Options
from ..core import toolchain
from ..core.files import scratch
from .base import Values
from .interpreter import LocalTarget, shown_inputs

WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
"""Compiler flags for ``flags``; the Python process must then preload the compiler's libasan."""

# The part of scn_runtime.h that Python uses.
_DECLARATIONS = """
typedef struct { uint16_t tensor; uint32_t offset; uint32_t bytes; } scn_view_t;
typedef struct {
    const char *name; const char *op; uint32_t macs; void (*run)(uint8_t *arena);
    uint16_t first_view; uint16_t view_count;
} scn_step_t;
typedef struct { uint32_t offset; uint32_t bytes; } scn_place_t;
typedef struct { uint32_t offset; uint32_t bytes; const void *initial; int8_t fill; } scn_state_t;
typedef struct {
    const char *name; const char *sha256; uint32_t arena_bytes; uint32_t params_bytes; uint32_t macs;
    uint32_t input_offset; uint32_t input_bytes; uint32_t output_offset; uint32_t output_bytes;
    const scn_step_t *steps; const scn_view_t *views; uint16_t step_count; uint16_t view_count;
    const scn_place_t *inputs; const scn_place_t *outputs; uint16_t input_count; uint16_t output_count;
    const scn_state_t *states; uint32_t state_bytes; uint16_t state_count;
} scn_model_t;
typedef void (*scn_observer_t)(void *, const scn_model_t *, const scn_step_t *, const uint8_t *);
void scn_model_reset(const scn_model_t *model, uint8_t *arena);
void scn_model_put_inputs(const scn_model_t *model, uint8_t *arena, const void *values);
void scn_model_get_outputs(const scn_model_t *model, const uint8_t *arena, void *values);
void scn_model_run(const scn_model_t *model, uint8_t *arena, scn_observer_t observer, void *context);
extern scn_model_t scn_model;
typedef struct {
    const int8_t *weights; const int32_t *bias; int32_t multiplier; uint8_t shift; uint8_t statistics; uint8_t windows;
    uint16_t width; uint16_t classes; uint16_t step; uint32_t offset;
} scn_clip_head_t;
typedef struct {
    int8_t *embeddings; uint16_t *statistics; int32_t *logits; uint8_t filled; uint8_t next;
} scn_clip_memory_t;
void scn_clip_head_push(const scn_clip_head_t *, scn_clip_memory_t *, const int8_t *embedding, int8_t *scores);
extern scn_clip_head_t scn_model_clip_head;
"""


def build(files: Mapping[str, str], flags: tuple[str, ...] = ()) -> Path:
    """Compile a model's generated sources and link them to the engine, which is compiled once for all models.

    Parameters
    ----------
    files
        Name -> text, as :meth:`scenelet.compiler.pipeline.Compiled.files` returns them.
    flags
        Further compiler flags.

    Returns
    -------
    Path
        A shared library, built once per content.

    Raises
    ------
    ToolError
        The compiler is missing or refuses the sources.
    """
    with scratch(toolchain.build_folder() / "native") as place:
        for name, text in files.items():
            (place / name).write_text(text, "utf-8")
        folders = toolchain.engine_folders()
        engine = toolchain.shared_library("engine", toolchain.engine_sources(), folders, (*WARNINGS, *flags))
        # A model of any size may be measured here; the challenge's limits apply to firmware that ships.
        every = ("-DSCN_MODEL_UNLIMITED", *WARNINGS, *flags)
        return toolchain.shared_library("model", place.glob("*.c"), [*folders, place], every, [engine])


class HostTarget(LocalTarget):
    """Runs the firmware's C code, with its memory plan, on this computer.

    Parameters
    ----------
    model
        Path of an INT8 .tflite, or its bytes.
    flags
        Further compiler flags.
    options
        Compiler options.

    Raises
    ------
    UnsupportedError
        The engine lacks an operator, type or size; the message names operator and layer.
    """

    name = "host"

    def __init__(self, model: str | Path | bytes, flags: tuple[str, ...] = (), options: Options = DEFAULT) -> None:
        self.compiled = pipeline.compile_model(model, options)
        super().__init__(model)
        self._ffi = cffi.FFI()
        self._ffi.cdef(_DECLARATIONS)
        self._library: Any = self._ffi.dlopen(str(build(self.compiled.files(), flags)))
        self._model = self._ffi.addressof(self._library, "scn_model")
        self._arena = _aligned_bytes(self._model.arena_bytes)
        self.reset()

    def reset(self) -> None:
        """See :class:`LocalTarget`."""
        self._library.scn_model_reset(self._model, self._ffi.from_buffer("uint8_t[]", self._arena))

    def infer(self, inputs: Sequence[NDArray[np.int8]]) -> tuple[NDArray[np.int8], ...]:
        """See :class:`LocalTarget`."""
        self._run(inputs, self._ffi.NULL)
        values = np.empty(self._model.output_bytes, np.int8)
        arena, place = self._ffi.from_buffer("uint8_t[]", self._arena), self._ffi.from_buffer(values)
        self._library.scn_model_get_outputs(self._model, arena, place)
        return self.split(values)

    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        """See :class:`LocalTarget`."""
        shaped = self.one_each(one)
        shown = {index: values.copy() for index, values in shown_inputs(self, self.compiled.program, shaped).items()}

        @self._ffi.callback("scn_observer_t")  # type: ignore[untyped-decorator]
        def observe(_context: Any, model: Any, step: Any, _arena: Any) -> None:
            for number in range(step.first_view, step.first_view + step.view_count):
                view = model.views[number]
                shown[view.tensor] = self.typed(view.tensor, self._arena[view.offset : view.offset + view.bytes].copy())

        self._run(shaped, observe)
        return shown

    def clip_answers(self, embeddings: NDArray[np.int8], silent: NDArray[np.bool_]) -> NDArray[np.int8] | None:
        """See :class:`LocalTarget`; computed by the firmware's C."""
        if self.clip_head is None:
            return None
        head = self._ffi.addressof(self._library, "scn_model_clip_head")
        kept = [self._ffi.new(f"{kind}[]", size) for kind, size in (
            ("int8_t", head.windows * head.width), ("uint16_t", self.clip_head.inputs), ("int32_t", head.classes),
        )]  # fmt: skip
        memory = self._ffi.new("scn_clip_memory_t *", kept)
        said = np.full((len(embeddings), head.classes), -128, np.int8)
        for number, quiet in enumerate(silent.tolist()):
            if quiet:
                said[number] = said[number - 1] if number else -128
            else:
                one, scores = (self._ffi.from_buffer("int8_t[]", row) for row in (embeddings[number], said[number]))
                self._library.scn_clip_head_push(head, memory, one, scores)
        return said

    def _run(self, inputs: Sequence[NDArray[np.int8]], observer: Any) -> None:
        values = self.packed(inputs)
        if values.nbytes != self._model.input_bytes:
            raise ValueError(f"{values.nbytes} bytes for inputs of {self._model.input_bytes}")
        arena = self._ffi.from_buffer("uint8_t[]", self._arena)
        self._library.scn_model_put_inputs(self._model, arena, self._ffi.from_buffer(values))
        self._library.scn_model_run(self._model, arena, observer, self._ffi.NULL)


def _aligned_bytes(size: int) -> NDArray[np.uint8]:
    """Allocate memory with exactly the alignment that the engine guarantees, so that a kernel that needs more fails."""
    words = np.zeros(-(-(size + ALIGNMENT) // 8), np.uint64)
    return words.view(np.uint8)[ALIGNMENT : ALIGNMENT + size]
