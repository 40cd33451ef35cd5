"""Calls kernels that work row by row, on rolling buffers that hold no more rows than a call sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from engine_library import Engine
from kernel_cases import Case
from numpy.typing import NDArray

from scenelet.compiler.lowering import lower
from scenelet.compiler.program import Struct
from scenelet.compiler.winograd import expand_winograd, pack_winograd

Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]


def one_image(case: Case) -> bool:
    """Whether the row by row kernels take a case's shape."""
    return case.graph.tensors[case.graph.outputs[0]].shape[0] == 1


def axes(case: Case) -> list[bool]:
    """Values of ``across`` with which Winograd's F(4, 3) can do a CONV_2D."""
    fields = _params(case).fields["window"]
    if not dense(case):
        return []
    return [across for across, name in ((True, "width"), (False, "height")) if fields[name] == 3]


def dense(case: Case) -> bool:
    """Whether a CONV_2D has one image and neither strides nor dilations."""
    fields = _params(case).fields["window"]
    return one_image(case) and all(fields[name] == 1 for name in ("stride_h", "stride_w", "dilation_h", "dilation_w"))


def weights(case: Case) -> Int8:
    """A convolution's weights as in the .tflite."""
    data = case.graph.tensors[case.graph.operators[0].inputs[1]].data
    assert data is not None
    return data.astype(np.int8)


def _params(case: Case) -> Struct:
    params = lower(case.graph).steps[0].params
    assert isinstance(params, Struct)
    return params


class RowCaller:
    """One case's kernel, called for `chunk` output rows at a time."""

    def __init__(self, engine: Engine, case: Case, chunk: int, post: Int8 | Int32 | None = None) -> None:
        self.engine = engine
        self.case = case
        self.chunk = chunk
        (self.step,) = lower(case.graph).steps
        self.fields = _params(case).fields
        self.tables = {table.kind: engine._table(table.type, table.values) for table in self.step.tables}
        self.post = {} if post is None else _post(engine, post)
        self.output = case.graph.tensors[case.graph.outputs[0]].shape

    def convolution(self, image: Int8) -> Int8:
        """scn_conv2d_rows_s8."""
        layer = self.engine.ffi.new("scn_fused_conv2d_t *", {"conv": self._struct(), "post": self.post})
        return self._run("scn_conv2d_rows_s8", layer, image, self.step.scratch_bytes)

    def narrow(self, image: Int8) -> Int8:
        """scn_conv2d_narrow_rows_s8."""
        layer = self.engine.ffi.new("scn_fused_conv2d_t *", {"conv": self._struct(), "post": self.post})
        return self._run("scn_conv2d_narrow_rows_s8", layer, image, narrow_scratch(weights(self.case)))

    def winograd(self, image: Int8, *, across: bool, expanded: bool, ahead: int = 0) -> Int8:
        """scn_winograd_rows_s8."""
        ffi = self.engine.ffi
        values = weights(self.case)
        made = expand_winograd(values, across=across) if expanded else pack_winograd(values, across=across)
        table = ffi.new("int16_t[]" if expanded else "int8_t[]", made.ravel().tolist())
        fields = {"conv": self._struct(), "post": self.post, "across": across, "ahead": ahead}
        layer = ffi.new("scn_winograd_t *", {**fields, "expanded" if expanded else "packed": table})
        scratch = winograd_scratch(values, (image.shape[2], self.output[2]), across, expanded, ahead)
        return self._run("scn_winograd_rows_s8", layer, image, scratch)

    def pool(self, image: Int8) -> Int8:
        """scn_max_pool_rows_s8 or scn_average_pool_rows_s8."""
        kernel = self.step.kernel.replace("_s8", "_rows_s8")
        return self._run(kernel, self.engine.ffi.new("scn_pool_t *", self._struct()), image, None)

    def _struct(self) -> Mapping[str, Any]:
        return {name: self.engine._field(value, self.tables) for name, value in self.fields.items()}

    def _run(self, kernel: str, layer: Any, image: Int8, scratch_bytes: int | None) -> Int8:
        ffi, window = self.engine.ffi, self.fields["window"]
        rows, height = image.shape[1], self.output[1]
        reach = (self.chunk - 1) * window["stride_h"] + (window["height"] - 1) * window["dilation_h"] + 1
        held = min(rows, reach)
        lines = np.zeros((held, *image.shape[2:]), np.int8)
        made = np.zeros((self.chunk, *self.output[2:]), np.int8)
        scratch = self.engine._guarded(scratch_bytes or 0)
        source = self._lines(lines)
        target = self._lines(made)
        output = np.zeros(self.output[1:], np.int8)
        for y in range(0, height, self.chunk):
            count = min(self.chunk, height - y)
            first = max(0, y * window["stride_h"] - window["pad_top"])
            lines[:] = 85
            for row in range(first, min(rows, first + held)):
                lines[row % held] = image[0, row]
            arguments = [] if scratch_bytes is None else [self.engine._at(scratch, "void *")]
            getattr(self.engine.library, kernel)(layer, source, y, count, target, *arguments)
            for row in range(y, y + count):
                output[row] = made[row % self.chunk]
        assert (scratch[:64] == 0xA5).all()
        assert (scratch[-64:] == 0xA5).all()
        ffi.release(source)
        return output[np.newaxis]

    def _lines(self, rows: Int8) -> Any:
        data = self.engine.ffi.from_buffer("int8_t[]", rows)
        fields = {"data": data, "rows": rows.shape[0], "row_elements": rows[0].size}
        return self.engine.ffi.new("scn_lines_t *", fields)


def _post(engine: Engine, post: Int8 | Int32) -> Mapping[str, Any]:
    """scn_post_t: a table of bytes, or affine steps."""
    if post.dtype == np.int8:
        return {"table": engine.ffi.new("int8_t[]", post.ravel().tolist())}
    return {"affine": engine.ffi.new("scn_affine_map_t[]", post.tolist())}


def narrow_scratch(values: Int8) -> int:
    """Scratch of scn_conv2d_narrow_rows_s8, as scn_engine.h states it."""
    channels, height, width, depth = values.shape
    runs = -(-width * depth // 2)
    return -(-channels // 2) * runs * height * 8 + runs * (15 + height) * 4


def winograd_scratch(values: Int8, widths: tuple[int, int], across: bool, expanded: bool, ahead: int) -> int:
    """Scratch of scn_winograd_rows_s8, as scn_engine.h states it; ``widths`` are the input's and the output's."""
    _, height, width, depth = values.shape
    taps = height if across else width
    rows = 1 if widths[1] > 8 else 2 if widths[1] > 4 else 4
    slots = taps + ahead * rows if across else widths[0]
    fours = -(-depth // 4)
    return slots * fours * 192 + fours * 4 + (0 if expanded else taps * fours * 96)
