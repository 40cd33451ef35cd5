"""``tests/support/layers/probe_networks.py OUT``: networks of layers that few published networks have, for the rates.

A rate is only as good as the rows that it was fitted to. These hold pooled Winograd tiles on maps of every size, LSTMs,
and 16-bit activations. `tools/fit_cost_model.py measure` takes the folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from networks import NetworkBuilder
from streams.sequences import last_step, lstm

from layers.wide import WideBuilder


class _Rectified(NetworkBuilder):
    """Zero points that are those of ReLUs."""

    def zero_point(self) -> int:
        return -128


def _pooled(seed: int, shape: tuple[int, ...], channels: tuple[int, ...], size: tuple[int, int]) -> bytes:
    """3x3 convolutions, each pooled."""
    made = _Rectified(seed, (1, *shape))
    last = made.start
    for count in channels:
        last = made.pool(made.convolution(last, count, (3, 3), activation="RELU"), size)
    return made.model(last)


def _sevens(seed: int, shape: tuple[int, ...], channels: int) -> bytes:
    """Axes of seven taps, with and without a pool across them."""
    made = _Rectified(seed, (1, *shape))
    last = made.pool(made.convolution(made.start, channels, (7, 3), activation="RELU"), (1, 2))
    last = made.convolution(last, channels, (7, 7), activation="RELU")
    return made.model(made.convolution(last, channels, (3, 7), activation="NONE"))


def _lstm(seed: int, steps: int, values: int, cells: int) -> bytes:
    made = NetworkBuilder(seed, (1, steps, values))
    first = lstm(made, made.start, cells)
    return made.model(last_step(made, lstm(made, first, cells)))


def _wide(seed: int, shape: tuple[int, ...], channels: int) -> bytes:
    made = WideBuilder(seed, (1, *shape))
    last = made.convolution(made.start, channels, (3, 3))
    last = made.function("LOGISTIC", made.convolution(last, channels, (3, 3), depthwise=True))
    last = made.two("ADD", last, last)
    last = made.two("MUL", last, last)
    last = made.pool(made.pool(last, "AVERAGE_POOL_2D"), "MAX_POOL_2D")
    last = made.function("TANH", made.convolution(last, channels, (1, 1)))
    return made.write(made.function("SOFTMAX", made.dense(made.mean(last, (1, 2)), 10)))


NETWORKS: Mapping[str, Callable[[], bytes]] = {
    "pooled_large": lambda: _pooled(1, (32, 32, 16), (16, 32, 32), (2, 2)),
    "pooled_small": lambda: _pooled(2, (13, 15, 16), (12, 24, 48), (2, 2)),
    "pooled_deep": lambda: _pooled(3, (16, 12, 48), (48, 64), (2, 2)),
    "pooled_across": lambda: _pooled(4, (20, 16, 24), (24, 32, 32), (1, 2)),
    "pooled_down": lambda: _pooled(5, (24, 10, 16), (24, 32), (2, 1)),
    "sevens": lambda: _sevens(6, (40, 16, 12), 16),
    "lstm_narrow": lambda: _lstm(7, 25, 13, 16),
    "lstm_broad": lambda: _lstm(8, 10, 40, 48),
    "wide_shallow": lambda: _wide(9, (24, 20, 3), 8),
    "wide_deep": lambda: _wide(10, (12, 10, 16), 32),
}


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, make in NETWORKS.items():
        (out / f"probe_{name}.tflite").write_bytes(make())


if __name__ == "__main__":
    main()
