"""What a device's clip head said, as an array."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...errors import ToolError


def clip_scores_of(said: Mapping[int, tuple[int, ...]], silent: NDArray[np.bool_], classes: int) -> NDArray[np.int8]:
    """Scores of the clip head after each window of a session, (n, classes), from what a device said window by window.

    A silent window has those of the windows before it; while there was none, -128 for all classes.

    Raises
    ------
    ToolError
        The device did not say what it hears in a window that is not silent.
    """
    found = np.full((len(silent), classes), -128, np.int8)
    for window, quiet in enumerate(silent.tolist()):
        if quiet:
            found[window] = found[window - 1] if window else -128
        elif (scores := said.get(window)) is None:
            raise ToolError("device", f"did not say what its clip head hears in window {window}", "stream it again")
        else:
            found[window] = scores
    return found
