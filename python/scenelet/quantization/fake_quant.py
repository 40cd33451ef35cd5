"""Fake quantization: an INT8 network in floating point that can be trained, with the INT8 network's rounding.

The arithmetic is the TFLite converter's (https://ai.google.dev/edge/litert/models/quantization_spec): weights symmetric
with one scale per channel, max |w| / 127; biases INT32 with the product of the scales of input and weights; activations
with the scale and zero point of calibration; the constants of a batch normalization that is not folded (MUL, ADD) as
INT8 in their range of calibration. Rounding has no gradient, so gradients pass it unchanged (the straight-through
estimator of Bengio et al. 2013); they are zero where a value is clipped.

The trained variables are the constants of the .tflite file, with batch normalization folded in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..graph import Graph, Operator, Tensor
from ..models.backend import keras, tf
from ..tflite import object_model

INT8 = (-128, 127)
_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_TINY = 1e-12

# Integers and scales of constants, by tensor index.
Constants = dict[int, tuple[NDArray[Any], NDArray[np.float32]]]
Found = Mapping[int, Any]
# Real value before rounding, for the gradient; and the integer kernels' result, in steps of the output's scale.
Both = tuple[Any, Any]


def _parameters(tensor: Tensor) -> tuple[np.float32, np.float32]:
    """Scale and zero point."""
    if tensor.quantization is None:
        raise ModelError(tensor.name, "has no scale", "give a full INT8 network")
    return np.float32(tensor.quantization.scale[0]), np.float32(tensor.quantization.zero_point[0])


def _through(value: Any, steps: Any, scale: Any, low: Any, high: Any) -> Any:
    """``steps`` times ``scale``, clipped to ``low`` .. ``high`` steps, with the gradient of ``value`` clipped alike."""
    clipped = tf.clip_by_value(value / scale, low, high)
    return (clipped + tf.stop_gradient(tf.clip_by_value(steps, low, high) - clipped)) * scale


def _nearest(value: Any, scale: Any, low: Any, high: Any) -> Any:
    return _through(value, tf.round(value / scale), scale, low, high)


def _away(value: Any) -> Any:
    """Round halves away from zero."""
    return tf.sign(value) * tf.floor(tf.abs(value) + 0.5)


def _rescaled(value: Any, unit: Any, scale: Any) -> Any:
    """Requantize a sum of steps of ``unit`` to steps of ``scale`` as the integer kernels do.

    They round twice: after the product with a Q31 multiplier (halves up), and after the shift to the right (halves away
    from zero).
    """
    return _shifted(tf.round(value / unit) * (unit / scale), _shift(unit / scale))


def _shifted(steps: Any, shift: Any) -> Any:
    finer = tf.pow(2.0, tf.maximum(shift, 0.0))
    return _away(tf.floor(steps * finer + 0.5) / finer)


def _shift(factor: Any) -> Any:
    """Right shift of a factor's Q31 multiplier, which is 1/2 to 1."""
    return tf.cast(-tf.floor(tf.math.log(tf.cast(factor, tf.float64)) / math.log(2)) - 1, tf.float32)


def to_integers(tensor: Tensor, value: Any) -> NDArray[np.int8]:
    """INT8 values of an activation whose float values are whole steps of its scale."""
    scale, zero_point = _parameters(tensor)
    return np.asarray(np.round(np.asarray(value) / scale) + zero_point, np.int8)


class FakeQuantised(keras.layers.Layer):  # type: ignore[misc]
    """The operators of an INT8 graph, computed on float values that are whole steps of the INT8 scales.

    Parameters
    ----------
    graph
        Graph of the INT8 file, for operators and activation scales.
    exact
        Graph of the same network's float file, for the initial values of the constants, by name.

    Raises
    ------
    ModelError
        Where an operator is not supported, or a constant is missing from the float file; names it.
    """

    def __init__(self, graph: Graph, exact: Graph) -> None:
        super().__init__(name="fake_quantised")
        self._graph = graph
        values = {tensor.name: tensor.data for tensor in exact.tensors.values() if tensor.constant}
        self._held: dict[str, Any] = {}
        for operator in graph.operators:
            padded = operator.op == "AVERAGE_POOL_2D" and operator.attributes["padding"] != "VALID"
            if operator.op not in _RUNS or padded:
                raise ModelError(graph.name, f"{operator.op} cannot be trained quantised", "use a recipe's network")
            for index in _constants(graph, operator):
                name = graph.tensors[index].name
                value = values.get(name)
                if value is None:
                    raise ModelError(graph.name, f"'{name}' is not in the float network", "convert both from one model")
                if str(index) not in self._held:
                    start = keras.initializers.Constant(np.asarray(value, np.float32))
                    path = name.replace("/", "_")
                    self._held[str(index)] = self.add_weight(
                        shape=value.shape, initializer=start, name=path, dtype="float32"
                    )

    def call(self, inputs: Any) -> Any:
        """Softmax for features / 64, (batch, mel bands, frames, 1); not rounded, since the loss takes its logarithm."""
        source = self._graph.tensors[self._graph.operators[-1].inputs[0]]
        return tf.nn.softmax(self.tensors(inputs)[source.index])

    def tensors(self, inputs: Any) -> dict[int, Any]:
        """Real value of every activation, by index in the INT8 file, for inputs as in :meth:`call`."""
        found = {self._graph.inputs[0]: inputs}
        for operator in self._graph.operators:
            target = self._graph.tensors[operator.outputs[0]]
            scale, zero_point = _parameters(target)
            relu = operator.attributes.get("fused_activation_function", "NONE") == "RELU"
            low, high = INT8[0] - zero_point, INT8[1] - zero_point
            value, steps = _RUNS[operator.op](self, operator, found)
            found[target.index] = _through(value, steps, scale, max(low, np.float32(0)) if relu else low, high)
        return found

    def constants(self) -> Constants:
        """Integers and scales of every constant as the INT8 file stores them, by tensor index."""
        made: Constants = {}
        for operator in self._graph.operators:
            for index in _constants(self._graph, operator):
                made[index] = self._integers(operator, index)
        return made

    def _integers(self, operator: Operator, index: int) -> tuple[NDArray[Any], NDArray[np.float32]]:
        tensor = self._graph.tensors[index]
        if operator.op not in _CHANNEL_AXIS:
            return to_integers(tensor, self.operand(index)), np.array(_parameters(tensor)[:1], np.float32)
        scale = self.weight_scale(operator)
        if index == operator.inputs[1]:
            steps = np.round(np.asarray(self.weights_(operator)) / np.asarray(scale))
            return steps.astype(np.int8), np.asarray(scale, np.float32).ravel()
        scale = np.asarray(self.unit(operator), np.float32)
        return np.round(np.asarray(self.bias(operator), np.float64) / scale).astype(np.int32), scale

    def weight_scale(self, operator: Operator) -> Any:
        """Scale of the weights, in their rank; no gradient passes through it."""
        weights = tf.abs(self._held[str(operator.inputs[1])])
        axis = _CHANNEL_AXIS[operator.op]
        tensor = self._graph.tensors[operator.inputs[1]]
        own = axis if tensor.quantization is not None and tensor.quantization.per_channel else None
        others = [k for k in range(len(tensor.shape)) if k != own]
        largest = tf.reduce_max(weights, axis=others, keepdims=True)
        return tf.stop_gradient(tf.maximum(largest, _TINY) / np.float32(127))

    def weights_(self, operator: Operator) -> Any:
        """Weights of an operator, rounded."""
        return _nearest(self._held[str(operator.inputs[1])], self.weight_scale(operator), -127.0, 127.0)

    def unit(self, operator: Operator) -> Any:
        """Real value of one step of the accumulator, one value per channel."""
        source, _ = _parameters(self._graph.tensors[operator.inputs[0]])
        return tf.reshape(source * self.weight_scale(operator), [-1])

    def scale(self, index: int) -> np.float32:
        """Scale of an activation or of a constant operand."""
        return _parameters(self._graph.tensors[index])[0]

    def zero_point(self, index: int) -> np.float32:
        """Zero point of an activation."""
        return _parameters(self._graph.tensors[index])[1]

    def bias(self, operator: Operator) -> Any:
        """Bias of an operator, rounded."""
        scale = self.unit(operator)
        held = self._held[str(operator.inputs[2])]
        steps = held / scale
        # INT32 has a wider range than float32 resolves, so nothing is clipped.
        return (steps + tf.stop_gradient(tf.round(steps) - steps)) * scale

    def operand(self, index: int) -> Any:
        """Constant operand of MUL or ADD, rounded."""
        scale, zero_point = _parameters(self._graph.tensors[index])
        return _nearest(self._held[str(index)], scale, INT8[0] - zero_point, INT8[1] - zero_point)

    def value(self, index: int, found: Found) -> Any:
        """Operand of MUL or ADD, constant or not."""
        return found[index] if index in found else self.operand(index)


def _constants(graph: Graph, operator: Operator) -> list[int]:
    """Trained constants of an operator: all but the axes of MEAN."""
    if operator.op == "MEAN":
        return []
    return [index for index in operator.inputs if index >= 0 and graph.tensors[index].constant]


def _strides(operator: Operator) -> list[int]:
    return [1, int(operator.attributes["stride_h"]), int(operator.attributes["stride_w"]), 1]


def _conv(layer: FakeQuantised, operator: Operator, found: Found) -> Both:
    kernel = tf.transpose(layer.weights_(operator), [1, 2, 3, 0])
    source, padding = found[operator.inputs[0]], operator.attributes["padding"]
    run = tf.nn.conv2d if operator.op == "CONV_2D" else tf.nn.depthwise_conv2d
    value = run(source, kernel, _strides(operator), padding) + layer.bias(operator)
    return value, _rescaled(value, layer.unit(operator), layer.scale(operator.outputs[0]))


def _dense(layer: FakeQuantised, operator: Operator, found: Found) -> Both:
    weights, unit = layer.weights_(operator), layer.unit(operator)
    flat = tf.reshape(found[operator.inputs[0]], [-1, weights.shape[1]])
    value = tf.matmul(flat, weights, transpose_b=True) + layer.bias(operator)
    # The interpreter multiplies these in double precision and rounds once.
    return value, _away(tf.round(value / unit) * (unit / layer.scale(operator.outputs[0])))


def _multiply(layer: FakeQuantised, operator: Operator, found: Found) -> Both:
    one, other = operator.inputs
    value = layer.value(one, found) * layer.value(other, found)
    unit = layer.scale(one) * layer.scale(other)
    return value, _rescaled(value, unit, layer.scale(operator.outputs[0]))


def _add(layer: FakeQuantised, operator: Operator, found: Found) -> Both:
    value = layer.value(operator.inputs[0], found) + layer.value(operator.inputs[1], found)
    # The kernel sums with 20 more bits, so the error of its first rounding is negligible.
    return value, _away(value / layer.scale(operator.outputs[0]))


def _pool(layer: FakeQuantised, operator: Operator, found: Found) -> Both:
    size = [int(operator.attributes[f"filter_{side}"]) for side in ("height", "width")]
    kind = "MAX" if operator.op == "MAX_POOL_2D" else "AVG"
    strides = _strides(operator)[1:3]
    value = tf.nn.pool(found[operator.inputs[0]], size, kind, strides, operator.attributes["padding"])
    # An average of integers is rounded with the zero point included.
    scale, zero_point = layer.scale(operator.outputs[0]), layer.zero_point(operator.outputs[0])
    count = np.float32(math.prod(size) if kind == "AVG" else 1)
    total = tf.round(value / scale * count) + zero_point * count
    return value, _away(total / count) - zero_point


def _mean(layer: FakeQuantised, operator: Operator, found: Found) -> Both:
    source = found[operator.inputs[0]]
    value = tf.reduce_mean(source, axis=[1, 2], keepdims=bool(operator.attributes["keep_dims"]))
    count = int(source.shape[1] * source.shape[2])
    before, after = layer.scale(operator.inputs[0]), layer.scale(operator.outputs[0])
    # The multiplier is divided by the count, and its shift grows by the count's whole bits.
    shift = _shift(before / after) + (count.bit_length() - 1)
    steps = tf.round(value / before * count) * (before / after / np.float32(count))
    return value, _shifted(steps, shift)


def _softmax(layer: FakeQuantised, operator: Operator, found: Found) -> Both:
    value = tf.nn.softmax(found[operator.inputs[0]] * float(operator.attributes["beta"]))
    return value, _away(value / layer.scale(operator.outputs[0]))


_RUNS = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "FULLY_CONNECTED": _dense,
    "MUL": _multiply,
    "ADD": _add,
    "MAX_POOL_2D": _pool,
    "AVERAGE_POOL_2D": _pool,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
}


def network(graph: Graph, exact: Graph) -> keras.Model:
    """A Keras model around :class:`FakeQuantised`; parameters and errors as there."""
    features = keras.Input(graph.tensors[graph.inputs[0]].shape[1:], name="features")
    return keras.Model(features, FakeQuantised(graph, exact)(features), name=graph.name)


def write_constants(content: bytes, constants: Constants) -> bytes:
    """Write integers and scales of constants into an INT8 file; all else stays, activation scales included."""
    tree = object_model.unpack(content)
    tensors = tree.subgraphs[0].tensors
    for index, (integers, scale) in constants.items():
        tensor = tensors[index]
        # Equal constants share a buffer in the converter's file; trained ones are no longer equal.
        tensor.buffer = len(tree.buffers)
        tree.buffers.append(object_model.Buffer(np.frombuffer(integers.tobytes(), np.uint8)))
        tensor.quantization.scale = np.asarray(scale, np.float32)
    used = {tensor.buffer for tensor in tensors} | {entry.buffer for entry in tree.metadata or []}
    kept = [number for number in range(len(tree.buffers)) if number == 0 or number in used]
    place = {old: new for new, old in enumerate(kept)}
    tree.buffers = [tree.buffers[old] for old in kept]
    for owner in (*tensors, *(tree.metadata or [])):
        owner.buffer = place[owner.buffer]
    return object_model.pack(tree)
