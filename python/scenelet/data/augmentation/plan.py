"""Augmented ("altered") copies of training clips: how many of each clip, and with which parameters.

A copy is a :class:`~scenelet.data.dataset.Clip` with its drawn parameters, so that the feature cache computes it only
once. The parameters depend only on the seed, the clip's name and the copy's number.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import AugmentationConfig
from ..dataset import Clip, Dataset
from .responses import Response, list_responses, read_response
from .waveform import convolve, device_response, fit_length, shift_pitch, shift_time, stretch_time

# Part of every identity: raise the number when the same parameters give other samples.
_RULE = "altered 1"


@dataclass(frozen=True, slots=True)
class Alteration:
    """Parameters of one copy, applied in this order.

    Attributes
    ----------
    tempo
        Factor of the tempo; 1 leaves it.
    semitones
        Pitch shift.
    turn
        Rotation in time, as a part of the length, 0 <= turn < 1.
    response_seed, response_db
        Seed of the microphone's response, None for no microphone, and its standard deviation in dB.
    response
        Recorded response of a microphone, in place of a drawn one.
    """

    tempo: float = 1.0
    semitones: float = 0.0
    turn: float = 0.0
    response_seed: int | None = None
    response_db: float = 0.0
    response: Response | None = None

    def apply(self, samples: NDArray[np.int32], sample_rate: int, bits: int) -> NDArray[np.int32]:
        """Alter integer samples of ``bits`` bits; length and full scale stay, and peaks saturate."""
        scale = float(1 << (bits - 1))
        sound = samples / scale
        sound = fit_length(stretch_time(sound, self.tempo), samples.size)
        sound = shift_time(shift_pitch(sound, self.semitones), int(self.turn * samples.size))
        if self.response is not None:
            sound = convolve(sound, read_response(self.response.path, sample_rate))
        elif self.response_seed is not None:
            generator = np.random.default_rng(self.response_seed)
            sound = convolve(sound, device_response(generator, sample_rate, self.response_db))
        return np.clip(np.rint(sound * scale), -scale, scale - 1).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Altered(Clip):
    """An altered copy of a clip."""

    alteration: Alteration = Alteration()

    @property
    def identity(self) -> str:
        """Text that identifies the alteration, for cache keys."""
        values = asdict(self.alteration)
        values["response"] = self.alteration.response.sha256 if self.alteration.response else None
        known = {name: value for name, value in values.items() if name != "response" or value}
        return f"{_RULE} {sorted(known.items(), key=lambda item: item[0])}"


def apply_to(clip: Clip, samples: NDArray[np.int32], sample_rate: int, bits: int) -> NDArray[np.int32]:
    """Alter the samples of an altered copy; those of any other clip are returned as they are."""
    return clip.alteration.apply(samples, sample_rate, bits) if isinstance(clip, Altered) else samples


def draw(config: AugmentationConfig, clip: Clip, number: int, responses: Sequence[Response] = ()) -> Alteration:
    """Draw the parameters of copy ``number`` of a clip; a microphone's response is one of ``responses`` where given."""
    name = f"{config.seed}\0{clip.label}\0{clip.recording}\0{clip.named(clip.path.name)}\0{number}"
    generator = np.random.default_rng(list(hashlib.sha256(name.encode(errors="surrogateescape")).digest()))
    tempo, semitones, turn, microphone = generator.random(4)
    response_seed = int(generator.integers(1 << 62))
    slow, fast = config.stretch
    filtered = microphone < config.impulse_response
    recorded = responses[int(generator.integers(len(responses)))] if responses and filtered else None
    simulated = filtered and recorded is None
    return Alteration(
        # Uniform in the logarithm of the tempo: half as fast is as likely as twice as fast.
        tempo=math.exp(math.log(slow) + tempo * math.log(fast / slow)),
        semitones=config.pitch_semitones * (2 * semitones - 1),
        turn=turn if config.shift else 0.0,
        response_seed=response_seed if simulated else None,
        response_db=config.impulse_response_db if simulated else 0.0,
        response=recorded,
    )


def copies(config: AugmentationConfig, clips: Sequence[Clip]) -> list[int]:
    """Number of altered copies of every clip.

    With ``balance``, groups by class, device or both are brought to the size of the largest, as far as ``most_copies``
    allows; within a group, the numbers differ by one at most.
    """
    counts = [config.copies] * len(clips)
    if not config.balance:
        return counts
    groups = [_group(clip, config.balance) for clip in clips]
    sizes = Counter(groups)
    wanted = max(sizes.values()) * (1 + config.copies)
    done: Counter[tuple[str, ...]] = Counter()
    for index, group in enumerate(groups):
        extra = min(wanted, sizes[group] * (1 + config.most_copies)) - sizes[group]
        each, rest = divmod(extra, sizes[group])
        counts[index] = each + (done[group] < rest)
        done[group] += 1
    return counts


def _group(clip: Clip, balance: Sequence[str]) -> tuple[str, ...]:
    names = {"class": clip.label, "device": clip.device}
    return tuple(names[key] for key in sorted(set(balance)))


def altered(config: AugmentationConfig, clips: Sequence[Clip]) -> list[Clip]:
    """List the altered copies of clips, clip by clip."""
    responses = list_responses(config.impulse_response_folder)
    return [
        _copy(clip, draw(config, clip, number, responses))
        for clip, count in zip(clips, copies(config, clips), strict=True)
        for number in range(count)
    ]


def _copy(clip: Clip, alteration: Alteration) -> Altered:
    fields: dict[str, Any] = {name: getattr(clip, name) for name in Clip.__dataclass_fields__}
    return Altered(**fields, alteration=alteration)


def augmented(dataset: Dataset, config: AugmentationConfig | None) -> Dataset:
    """Add a recipe's altered copies to a data set's "train" split; the other splits stay as they are."""
    if config is None or not config.alters:
        return dataset
    train = dataset.split("train")
    return replace(dataset, splits={**dataset.splits, "train": (*train, *altered(config, train))})
