"""The synthetic city: TAU's layout and a mark file, so that its results are never taken for TAU's.

:mod:`scenelet.data.synthetic.city` writes it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..dataset import Dataset
from . import tau

MARK = "synthetic.json"
PERCENT_REMEDY = "the city has 5, 10, 25, 50 and 100; write it again with `scenelet data synth`"
LICENCE = (
    "The synthetic city, computed by scenelet. Scores on it say that the pipeline works and nothing about real scenes."
)


def detect(root: Path) -> bool:
    """Whether a folder has TAU's layout and the mark."""
    found = tau.find_root(root)
    return found is not None and (found / MARK).is_file()


def read_synthetic_city(root: Path, subset: str | None = None) -> Dataset:
    """Read the city as :func:`scenelet.data.datasets.tau.read_tau` reads TAU; there are no subsets."""
    return replace(tau.read_tau(root, subset), name="synthetic_city")
