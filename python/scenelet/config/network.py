"""Networks in a recipe: a chain of convolutions, a mobile network, or a one-against-all teacher."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from .section import Section

Pair = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
Channels = Annotated[int, Field(ge=1, le=1024)]


class Block(Section):
    """One convolution, stride 1, padding "same", with its normalisation, pool and dropout.

    ``order`` is "conv_bn_relu" (folds into the convolution) or "conv_relu_bn_relu" (leaves MUL and ADD).
    Kernel and pool are mel bands x frames.
    """

    filters: Annotated[int, Field(ge=1, le=1024)]
    kernel: Pair
    order: Literal["conv_bn_relu", "conv_relu_bn_relu"] = "conv_relu_bn_relu"
    pool: Pair = (1, 1)
    pool_type: Literal["max", "average"] = "max"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Head(Section):
    """From the last feature map to the embedding; a Dense softmax over the classes follows."""

    pooling: Literal["average", "flatten"] = "average"
    units: Annotated[int, Field(ge=1, le=4096)] = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class CnnConfig(Section):
    """A plain chain of convolutions."""

    kind: Literal["cnn"] = "cnn"
    blocks: Annotated[tuple[Block, ...], Field(min_length=1)]
    head: Head = Head()
    classes: Annotated[int, Field(ge=2, le=1000)] = 10


class Stem(Section):
    """A convolution with batch normalisation and ReLU in front of inverted residuals, padding "same".

    Kernel and strides are mel bands x frames.
    """

    filters: Channels
    kernel: Pair = (3, 3)
    strides: Pair = (1, 1)


class InvertedResidual(Section):
    """Pointwise to ``expanded`` channels, depthwise, pointwise to ``filters``; batch normalization after each.

    As in MobileNetV2 (Sandler et al. 2018) and CP-Mobile (Schmid et al. 2023), with a ReLU after the first two and at
    the end. Where the strides are 1 and ``filters`` is the number of input channels, the input is added before the last
    ReLU.

    Kernel (of the depthwise convolution, padding "same") and strides are mel bands x frames; the strides must be equal.
    """

    filters: Channels
    expanded: Channels
    kernel: Pair = (3, 3)
    strides: Pair = (1, 1)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @field_validator("strides")
    @classmethod
    def _alike(cls, strides: Pair) -> Pair:
        if strides[0] != strides[1]:
            raise ValueError(f"strides {list(strides)} differ, which TensorFlow cannot train depthwise")
        return strides

    def adds(self, channels: int) -> bool:
        """Whether an input of so many channels is added to the output."""
        return self.strides == (1, 1) and self.filters == channels


class MobileConfig(Section):
    """Inverted residuals after a stem of convolutions; everything folds into convolutions and ADD."""

    kind: Literal["mobile"]
    stem: Annotated[tuple[Stem, ...], Field(min_length=1)]
    blocks: Annotated[tuple[InvertedResidual, ...], Field(min_length=1)]
    head: Head = Head()
    classes: Annotated[int, Field(ge=2, le=1000)] = 10


class OneAgainstAllConfig(Section):
    """The teacher: one network per class ("this scene against the rest"), joined by one Dense softmax."""

    kind: Literal["one_against_all"]
    member: CnnConfig
    classes: Annotated[int, Field(ge=2, le=1000)] = 10


NetworkConfig = Annotated[CnnConfig | MobileConfig | OneAgainstAllConfig, Field(discriminator="kind")]
