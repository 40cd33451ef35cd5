"""A network as microWakeWord builds it: strided rows, a stream before every kernel, MixConv, a residual, LOGISTIC."""

from __future__ import annotations

from streams.resources import StreamBuilder, mixed_kernels


class _Calibrated(StreamBuilder):
    """Zero points with room for most values, as after calibration, so that activations do not die out."""

    def zero_point(self) -> int:
        return int(self.chance.integers(-110, -80))


def wake_word(rows: int, features: int = 40, channels: int = 12, blocks: int = 2, seed: int = 0) -> bytes:
    """A network that takes so many rows in a step and gives a probability as uint8.

    Parameters
    ----------
    rows
        Rows of a step, the stride of its first convolution.
    features
        Values of a row.
    channels
        Of every block; its MixConv has two kernels.
    blocks
        After the first convolution.
    seed
        Of the weights.
    """
    network = _Calibrated(seed, (1, rows, features), quantization=(2.0**-12, -20))  # so that LOGISTIC says something
    x = network.reshape(network.start, (1, rows, 1, features))
    x = network.remembered(x, 5 - rows)
    x = network.convolution(x, channels, (5, 1), stride=(rows, 1), padding="VALID", activation="RELU")
    for block in range(blocks):
        skip = x
        x = mixed_kernels(network, network.chance, network.remembered(x, 4 + 4 * block))
        x = network.add(x, skip) if block else x
    x = network.remembered(x, 5)
    x = network.fully_connected(network.reshape(x, (1, 6 * channels)), 1)
    return network.stream_model(network.left(network.logistic(x), "uint8"))
