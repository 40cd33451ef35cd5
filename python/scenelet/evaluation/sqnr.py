"""Signal-to-quantization-noise ratio (SQNR) of every layer: a run's INT8 network against its float network.

Both are made by the same converter, so every INT8 activation has a float counterpart of the same name. The noise of a
layer's output includes that of its inputs; ``added`` is the noise that its own operator adds.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..graph import Graph, Operator, Tensor
from ..quantization.convert import convert_float, quantize
from ..targets.litert import LitertTarget
from ..training import run_folder
from .float_network import FloatNetwork

_SILENCE = 1e-30


@dataclass(frozen=True)
class LayerError:
    """One operator's output.

    Attributes
    ----------
    name, op
        Layer and operator.
    scale
        Real value of one INT8 step.
    rms
        Root mean square of the float values.
    sqnr_db
        10 log10 of the float values' energy over that of their difference to the INT8 values; None where all are equal.
    added
        Ratio of noise to signal energy of the output, less that of the operator's noisiest input; negative where the
        operator averages noise out.
    """

    name: str
    op: str
    scale: float
    rms: float
    sqnr_db: float | None
    added: float


@dataclass(frozen=True)
class Comparison:
    """All layers in order; ``agreement`` is the share of windows with the same decision."""

    windows: int
    agreement: float
    layers: tuple[LayerError, ...]

    @property
    def worst(self) -> LayerError:
        """Layer that adds most noise."""
        return max(self.layers, key=lambda layer: layer.added)

    def to_json(self) -> dict[str, Any]:
        """Comparison by layer."""
        return {**asdict(self), "worst": self.worst.name}


class _Energies:
    """Sums over windows of squared values and squared errors, by tensor name."""

    def __init__(self) -> None:
        self.signal: dict[str, float] = {}
        self.noise: dict[str, float] = {}
        self.values: dict[str, int] = {}

    def add(self, name: str, wanted: NDArray[np.float64], found: NDArray[np.float64]) -> None:
        self.signal[name] = self.signal.get(name, 0.0) + float(np.square(wanted).sum())
        self.noise[name] = self.noise.get(name, 0.0) + float(np.square(wanted - found).sum())
        self.values[name] = self.values.get(name, 0) + wanted.size

    def ratio(self, name: str) -> float:
        """Ratio of noise to signal energy."""
        return self.noise[name] / max(self.signal[name], _SILENCE)


def _shown(graph: Graph, known: FloatNetwork) -> dict[int, Tensor]:
    """INT8 activations by index; each must have a float counterpart."""
    outputs = [index for operator in graph.operators for index in operator.outputs]
    shown = {index: graph.tensors[index] for index in (*graph.inputs, *outputs)}
    missing = [tensor.name for tensor in shown.values() if tensor.name not in known.names]
    if missing:
        raise ModelError(graph.name, f"'{missing[0]}' is not in the float network", "use the layers of the recipes")
    return shown


def _real(tensor: Tensor, values: NDArray[np.int8]) -> NDArray[np.float64]:
    """Dequantized values."""
    assert tensor.quantization is not None
    scale, zero_point = float(tensor.quantization.scale[0]), int(tensor.quantization.zero_point[0])
    return scale * (values.astype(np.float64) - zero_point)


def _layer(graph: Graph, operator: Operator, energies: _Energies, shown: dict[int, Tensor]) -> LayerError:
    output = graph.tensors[operator.outputs[0]]
    assert output.quantization is not None
    own = energies.ratio(output.name)
    before = max((energies.ratio(shown[index].name) for index in operator.inputs if index in shown), default=0.0)
    rms = math.sqrt(energies.signal[output.name] / energies.values[output.name])
    sqnr_db = -10 * math.log10(own) if own > 0 else None
    scale = float(output.quantization.scale[0])
    return LayerError(graph.layer_name(operator), operator.op, scale, rms, sqnr_db, own - before)


def compare_networks(content: bytes, float_content: bytes, windows: NDArray[np.int8]) -> Comparison:
    """Compare an INT8 network with its float counterpart.

    Parameters
    ----------
    content, float_content
        Made of one network by :func:`scenelet.quantization.convert.quantize` and
        :func:`scenelet.quantization.convert.convert_float`.
    windows
        The front end's features, (n, mel bands, frames), n of 1 or more.

    Raises
    ------
    ModelError
        Where the two do not have the same activations.
    """
    target, exact, energies = LitertTarget(content), FloatNetwork(float_content), _Energies()
    graph = target.graph
    shown = _shown(graph, exact)
    same = 0
    for window in windows:
        found = target.tensors(window)
        exact.run(window)
        for index, tensor in shown.items():
            wanted = exact.value(tensor.name)
            energies.add(tensor.name, wanted, _real(tensor, found[index]).reshape(wanted.shape))
        same += int(exact.value(target.output.name).argmax() == found[target.output.index].argmax())
    layers = tuple(_layer(graph, operator, energies, shown) for operator in graph.operators)
    return Comparison(len(windows), same / len(windows), layers)


def compare(run: str | Path, windows: int) -> Comparison:
    """Compare both networks of a finished run on some of its calibration windows.

    Raises
    ------
    InputError
        Where the run is not finished or damaged.
    """
    request = run_folder.request_of(run)
    model, calibration = run_folder.load_model(run), run_folder.load_calibration(run)
    content = quantize(model, calibration, request.recipe, request.labels, dataset=request.dataset)
    return compare_networks(content, convert_float(model), drawn(calibration, windows))


def drawn(calibration: NDArray[np.int8], windows: int) -> NDArray[np.int8]:
    """At most ``windows`` of a run's calibration windows, (n, mel bands, frames)."""
    # The windows are sorted by recording, so evenly spaced ones are a fair draw of classes.
    places = np.linspace(0, len(calibration) - 1, min(windows, len(calibration)))
    return calibration[np.unique(places.round().astype(np.int64))]
