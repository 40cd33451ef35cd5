"""Published folds as splits: one split per fold, the highest fold as the test, the others as the training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..dataset import Clip, Dataset


def fold_dataset(
    name: str,
    root: Path,
    labels: tuple[str, ...],
    clips: Sequence[Clip],
    published: Iterable[int] = (),
    notes: tuple[str, ...] = (),
) -> Dataset:
    """Make a data set whose clips name their folds.

    Parameters
    ----------
    name, root, labels, notes
        As of :class:`scenelet.data.dataset.Dataset`.
    clips
        One or more, each of a fold above 0.
    published
        Folds that the data set has where it is complete; ``absent`` says which of them are not here.
    """
    present = sorted({clip.fold for clip in clips})
    listed = ", ".join(map(str, present))
    splits = {"train": tuple(clip for clip in clips if clip.fold != present[-1])}
    splits["test"] = tuple(clip for clip in clips if clip.fold == present[-1])
    absent = {f"fold{fold}": f"fold {fold} is not in this copy (folds here: {listed})" for fold in published}
    for fold in present:
        splits[f"fold{fold}"] = tuple(clip for clip in clips if clip.fold == fold)
        absent.pop(f"fold{fold}", None)
    if not splits["train"]:
        del splits["train"]
        absent["train"] = absent["validation"] = f"fold {listed} alone is here, and it is the test"
    return Dataset(name, root, labels, tuple(clips), splits, "recording", absent, notes)
