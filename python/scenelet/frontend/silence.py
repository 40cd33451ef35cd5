"""Silent windows: those whose log-mel map stays below a level; equal to the firmware's ``scn_pipeline_silent``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8192


def silent_windows(features: NDArray[np.int8], level: int | None) -> NDArray[np.bool_]:
    """Whether every value of a window lies below a level.

    Parameters
    ----------
    features
        INT8, (n, mel bands, frames); may be mapped from a file.
    level
        Lowest INT8 feature of a window that is not silent; None where no window is silent.

    Returns
    -------
    bool, (n,)
    """
    silent = np.zeros(len(features), np.bool_)
    for start in range(0, 0 if level is None else len(features), _BLOCK):
        block = features[start : start + _BLOCK]
        silent[start : start + _BLOCK] = block.max(axis=(1, 2)) < level
    return silent
