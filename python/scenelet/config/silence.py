"""Setting of what counts as silence in a recipe."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from .frontend import FrontendConfig
from .section import Section


class SilenceConfig(Section):
    """Windows of silence: no network is trained on them, and they have no part in a clip's answer.

    Attributes
    ----------
    level_db
        Log-mel power in dB, as ``frontend.lo_db`` counts it. A window none of whose bands reaches it in any frame is
        silent. It lies above ``lo_db``, and at most at ``hi_db``.
    """

    level_db: Annotated[float, Field(ge=-1000, le=1000)]


def silence_level(config: SilenceConfig, frontend: FrontendConfig) -> int:
    """Lowest INT8 feature that stands for ``level_db`` or more, -127 to 127.

    Raises
    ------
    ValueError
        Where the bands have ranges of their own, or the level lies outside their range.
    """
    lows, highs = set(frontend.lo_by_band), set(frontend.hi_by_band)
    if len(lows) > 1 or len(highs) > 1:
        raise ValueError("silence.level_db needs one lo_db and one hi_db for all bands")
    (low,), (high,) = lows, highs
    if not low < config.level_db <= high:
        raise ValueError(f"silence.level_db {config.level_db:g} is not above lo_db {low:g} and at most hi_db {high:g}")
    return max(-127, math.ceil(round(255 * (config.level_db - low) / (high - low), 6)) - 128)
