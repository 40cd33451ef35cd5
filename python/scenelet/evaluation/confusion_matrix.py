"""A confusion matrix as an image."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ToolError


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
        raise ToolError("matplotlib", "is not installed", "pip install 'scenelet[train]'") from None
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    size = 2.2 + 0.45 * len(labels)
    figure = Figure(figsize=(size + 0.6, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="answer", ylabel="truth", title=title)
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            shade = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, str(int(count)), ha="center", va="center", color=shade, fontsize=8)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100, metadata={"Software": None})
    return content.getvalue()
