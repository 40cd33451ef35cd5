"""All augmentation of batches that a recipe enables, in one order.

A window is drawn from its clip; mixed with another one as powers; given another level, tilt and microphone; then come
Freq-MixStyle, mixup and masks. The training loop passes a generator seeded by (seed, epoch), so that a resumed run
makes the same draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import AugmentationConfig, Recipe
from ...data.augmentation.features import Batch, Targets, mask, mixstyle, mixup
from ..windows import Windows
from .crops import crops_of
from .levels import Scale, device_curves, gains, power_mix, tilts

Draw = Callable[[np.random.Generator, Windows, NDArray[np.int64]], Batch]
"""Inputs of a batch: generator, training set, numbers of the windows."""

Change = Callable[[np.random.Generator, Batch, Targets], tuple[Batch, Targets]]
"""Changes a batch: generator, inputs, targets -> inputs, targets."""


@dataclass(frozen=True)
class Augmentation:
    """Augmentation of training batches.

    Attributes
    ----------
    change
        Changes inputs and targets.
    draw
        Gives the inputs; None: the windows as they are.
    """

    change: Change
    draw: Draw | None = None


def _levels(recipe: Recipe, config: AugmentationConfig) -> Change | None:
    """Mixing as powers, then gain, tilt and microphone as one curve; None where all are off."""
    if not (config.power_mix or config.gain_db or config.tilt_db or config.device_curve_db):
        return None
    scale = Scale.of(recipe.frontend)

    def change(generator: np.random.Generator, inputs: Batch, targets: Targets) -> tuple[Batch, Targets]:
        if config.power_mix:
            inputs, targets = power_mix(generator, inputs, targets, config.power_mix, scale)
        curve = np.zeros((len(inputs), 1, 1, 1))
        if config.gain_db:
            curve = curve + gains(generator, len(inputs), config.gain_db)
        if config.tilt_db:
            curve = curve + tilts(generator, len(inputs), config.tilt_db, recipe.frontend.n_mels)
        if config.device_curve_db:
            curve = curve + device_curves(generator, len(inputs), config.device_curve_db, recipe.frontend)
        return scale.raised(inputs, curve), targets

    return change


def _statistics_and_masks(config: AugmentationConfig) -> Change | None:
    """Freq-MixStyle, mixup and masks; None where all are off."""
    if not (config.mixstyle or config.mixup or config.time_masks or config.frequency_masks):
        return None

    def change(generator: np.random.Generator, inputs: Batch, targets: Targets) -> tuple[Batch, Targets]:
        if config.mixstyle and generator.random() < config.mixstyle:
            inputs = mixstyle(generator, inputs, config.mixstyle_alpha)
        if config.mixup:
            inputs, targets = mixup(generator, inputs, targets, config.mixup)
        if config.frequency_masks:
            inputs = mask(generator, inputs, 1, config.frequency_masks, config.frequency_mask_bands)
        if config.time_masks:
            inputs = mask(generator, inputs, 2, config.time_masks, config.time_mask_frames)
        return inputs, targets

    return change


def batch_augmentation(recipe: Recipe) -> Augmentation | None:
    """Combine the augmentations of batches that a recipe enables; None where it enables none."""
    config = recipe.augmentation
    if config is None:
        return None
    draw = crops_of(config, recipe.frontend, recipe.silence_level)
    changes = [part for part in (_levels(recipe, config), _statistics_and_masks(config)) if part]

    def change(generator: np.random.Generator, inputs: Batch, targets: Targets) -> tuple[Batch, Targets]:
        for part in changes:
            inputs, targets = part(generator, inputs, targets)
        return inputs, targets

    return Augmentation(change, draw) if draw or changes else None
