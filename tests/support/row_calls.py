"""Calls kernels that work row by row, on rolling buffers that hold no more rows than a call sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from engine_library import Engine
from kernel_cases import Case
from numpy.typing import NDArray

from scenelet.compiler.kernels.winograd_weights import expand_winograd, pack_winograd
from scenelet.compiler.operators import lower
from scenelet.compiler.program import Struct

Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]


def one_image(case: Case) -> bool:
    """Whether the row by row kernels take a case's shape."""
    return case.graph.tensors[case.graph.outputs[0]].shape[0] == 1


def axes(case: Case) -> list[bool]:
    """Values of ``across`` with which Winograd's F(4, 3) can do a CONV_2D."""
    fields = _params(case).fields
    if not dense(case):
        return []
    return [
        across
        for across, name, other in ((True, "width", "height"), (False, "height", "width"))
        if fields["window"][name] == 3 and fields["window"][other] <= 7 and fields["output"][other] > 1
    ]


def pooling(case: Case, size: tuple[int, int]) -> bool:
    """Whether a CONV_2D's sums may be pooled: every factor and bias is a usual one, and there is something to pool."""
    fields = _params(case).fields
    taps = weights(case)[0].size
    (step,) = lower(case.graph).steps
    tables = {table.kind: table.values for table in step.tables}
    bias = np.abs(tables["bias"].astype(np.int64)).max() if "bias" in tables else 0
    shifts = tables["scale"][:, 1]
    enough = fields["output"]["height"] >= size[0] and fields["output"]["width"] >= size[1]
    return bool(enough and bias < 2**30 - 1 - taps * 255 * 128 and shifts.max() < 0 and shifts.min() >= -20)


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

    def winograd(
        self, image: Int8, *, across: bool, expanded: bool, rows: int = 8, part: int | None = None,
        pool: tuple[int, int] = (1, 1), outputs: int = 4,
    ) -> Int8:  # fmt: skip
        """scn_winograd_f4x3_rows_s8, or its twin for tiles of two outputs; ``part`` is all unless given."""
        ffi = self.engine.ffi
        values = weights(self.case)
        part = part or -(-values.shape[3] // 2)
        made: NDArray[Any] = pack_winograd(values, across=across)
        made = expand_winograd(values, across=across, outputs=outputs) if expanded else made
        table = ffi.new("int16_t[]" if expanded else "int8_t[]", made.ravel().tolist())
        fields = {"conv": self._struct(), "post": self.post, "across": across, "rows": rows, "part": part}
        fields |= {"pool_height": pool[0], "pool_width": pool[1]}
        layer = ffi.new("scn_winograd_t *", {**fields, "expanded" if expanded else "packed": table})
        scratch = winograd_scratch(self.fields, across, expanded, rows, part, outputs)
        kernel = "scn_winograd_f4x3_rows_s8" if outputs == 4 else "scn_winograd_f2x3_rows_s8"
        return self._run(kernel, layer, image, scratch, pool)

    def pool(self, image: Int8) -> Int8:
        """scn_max_pool_rows_s8 or scn_average_pool_rows_s8."""
        kernel = self.step.kernel.replace("_s8", "_rows_s8")
        return self._run(kernel, self.engine.ffi.new("scn_pool_t *", self._struct()), image, None)

    def _struct(self) -> Mapping[str, Any]:
        return {name: self.engine._field(value, self.tables) for name, value in self.fields.items()}

    def _run(
        self, kernel: str, layer: Any, image: Int8, scratch_bytes: int | None, pool: tuple[int, int] = (1, 1)
    ) -> Int8:
        ffi, window = self.engine.ffi, self.fields["window"]
        rows, height, width = image.shape[1], self.output[1] // pool[0], self.output[2] // pool[1]
        stride = window["stride_h"] * pool[0]
        reach = (self.chunk * pool[0] - 1) * window["stride_h"] + (window["height"] - 1) * window["dilation_h"] + 1
        held = min(rows, reach)
        lines = np.zeros((held, *image.shape[2:]), np.int8)
        made = np.zeros((self.chunk, width, self.output[3]), np.int8)
        scratch = self.engine._guarded(scratch_bytes or 0)
        source = self._lines(lines)
        target = self._lines(made)
        output = np.zeros((height, width, self.output[3]), np.int8)
        for y in range(0, height, self.chunk):
            count = min(self.chunk, height - y)
            first = max(0, y * stride - window["pad_top"])
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
        return self.engine.ffi.new("scn_row_ring_t *", fields)


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


def winograd_scratch(
    fields: Mapping[str, Any], across: bool, expanded: bool, rows: int, part: int, outputs: int = 4
) -> int:
    """Scratch of Winograd's kernels, as scn_engine.h states it; ``fields`` are the CONV_2D's."""
    plane_bytes = 8 * (outputs + 2)
    window, depth = fields["window"], fields["input"]["channels"]
    taps = window["height" if across else "width"]
    width, out_width, pad = fields["input"]["width"], fields["output"]["width"], window["pad_left"]
    if across:
        positions = rows if out_width > outputs else -(-rows // 4) * 2
        slots, pairs, units = positions + taps - 1, 1, -(-positions // 2)
    else:
        all_seen = width <= 4 and pad >= -(-width // 2) * 2 - 1 and taps >= width + pad
        columns = -(-out_width // 2)
        pairs, slots = rows // (2 * outputs), width if all_seen else columns * 2 + taps - 1
        units = pairs * columns
    steps = -(-depth // 2)
    weights_bytes = 0 if expanded else part * taps * plane_bytes
    sums = (units if part < steps else 1) * 4 * plane_bytes
    return pairs * slots * steps * plane_bytes + -(-depth // 4) * 4 + weights_bytes + sums
