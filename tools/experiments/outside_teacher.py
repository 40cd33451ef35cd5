"""How many clips a network from elsewhere finds by a linear head: each fold by a head fitted on the others.

What docs/results/esc10.md says of YAMNet's first layers; the weights are the user's own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from scenelet.data.datasets.registry import open_dataset
from scenelet.evaluation.intervals import accuracy_interval, shown
from scenelet.training.distillation.outside_network import cross_fitted, open_network, outputs_of


def main() -> None:
    """Print the share of clips by fold, and over all folds with its interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path, metavar="FILE", help="as --teacher-model takes it")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--teacher-name")
    parser.add_argument("--teacher-frontend")
    given = parser.parse_args()
    dataset = open_dataset(given.data)
    clips = [clip for clip in dataset.clips if clip.fold]
    classes, folds = dataset.targets(clips), np.array([clip.fold for clip in clips])
    network = open_network(given.network, given.teacher_name, given.teacher_frontend)
    logits = cross_fitted(outputs_of(network, clips), classes, folds, len(dataset.labels))
    right = logits.argmax(axis=1) == classes
    for fold in np.unique(folds):
        print(f"fold {fold}: {right[folds == fold].mean():.1%}")
    interval = accuracy_interval(right, classes, [clip.recording for clip in clips])
    print(f"all: {right.mean():.1%}, 95 % interval {shown(interval)}")


if __name__ == "__main__":
    main()
