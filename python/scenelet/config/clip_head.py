"""Setting of the clip head in a recipe."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .section import Section

Statistic = Literal["mean", "max", "deviation"]


class ClipHeadConfig(Section):
    """A layer behind the network that classifies the last windows together, by statistics of their embeddings.

    Attributes
    ----------
    windows
        Most windows that it looks back over; silent ones do not count.
    statistics
        Of each embedding value over those windows: mean, maximum, standard deviation. Each costs a weight for every
        value and class.
    l2
        Weight decay while it is fitted, towards the network's own last layer.
    """

    windows: Annotated[int, Field(ge=1, le=32)] = 5
    statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)] = ("mean", "max", "deviation")
    l2: Annotated[float, Field(gt=0, le=1000)] = 0.1

    later: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        order = [name for name in ("mean", "max", "deviation") if name in self.statistics]
        if list(self.statistics) != order:
            raise ValueError(f"statistics {list(self.statistics)} are not in the order mean, max, deviation, each once")
        return self
