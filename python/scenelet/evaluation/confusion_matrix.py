"""A confusion matrix as an image."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.extras import missing
from ..core.shown import shown

# Room for the names: the figure's margins hold those of common length.
_LETTER_INCHES, _COMMON_LETTERS = 0.1, 15


def confusion_png(confusion: NDArray[np.integer[Any]], labels: Sequence[str], title: str = "") -> bytes:
    """Draw a confusion matrix: rows are true classes, columns predictions, colours the share of a row.

    Parameters
    ----------
    confusion
        Counts, (classes, classes).
    labels
        Of the classes.

    Returns
    -------
    bytes
        A PNG without a time stamp.

    Raises
    ------
    ToolError
        Where matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # not pyplot: no display and no global state
    except ImportError:
        raise missing("matplotlib", "train") from None
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    longest = max(map(len, labels), default=0)
    size = 2.2 + 0.45 * len(labels) + _LETTER_INCHES * max(0, longest - _COMMON_LETTERS)
    figure = Figure(figsize=(size + 0.6, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    # Names are no formulas: without parse_math=False, matplotlib typesets what stands between two dollar signs.
    names = [shown(label) for label in labels]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set(xlabel="answer", ylabel="truth")
    axes.set_title(shown(title), parse_math=False)
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            shade = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, str(int(count)), ha="center", va="center", color=shade, fontsize=8)
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a letter that the font lacks is drawn as a box
        figure.savefig(content, format="png", dpi=100, metadata={"Software": None})
    return content.getvalue()
