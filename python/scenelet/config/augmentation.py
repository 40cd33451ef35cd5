"""Settings of data augmentation in a recipe."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .section import Section
from .training import Seed


class AugmentationConfig(Section):
    """Data augmentation; each part is off unless it is given.

    Augmentation of waveforms is drawn once for every altered copy of a training clip, before the front end.
    Augmentation of batches is drawn anew every epoch, on the features.

    Attributes
    ----------
    copies
        Altered copies of every training clip.
    balance
        Oversampling: rare groups get more copies, until each has as many clips as the largest. Groups are by "class",
        "device", or both.
    most_copies
        Maximum number of copies of one clip, balancing included.
    pitch_semitones
        Maximum pitch shift, up or down, in semitones; the duration stays.
    stretch
        Range of the tempo: 2 plays twice as fast; the pitch stays.
    shift
        Rotates the clip in time by up to its whole length.
    impulse_response
        Share of the copies that are filtered by a synthetic microphone.
    impulse_response_db
        Standard deviation of its frequency response, dB.
    impulse_response_folder
        Folder of recorded impulse responses, one of which filters a copy in place of the synthetic microphone's.
    mixup
        Both parameters of the Beta distribution that two windows are mixed by; 0 is off.
    time_masks, time_mask_frames
        Masks per window, and the maximum number of frames per mask.
    frequency_masks, frequency_mask_bands
        Masks per window, and the maximum number of mel bands per mask.
    mixstyle
        Share of the batches whose windows exchange statistics of each mel band (Freq-MixStyle).
    mixstyle_alpha
        Both parameters of the Beta distribution that the statistics are mixed by.
    power_mix
        Share of the windows that are mixed with another one as powers, both brought to one level.
    gain_db
        Maximum change of a window's level, up or down, dB.
    tilt_db
        Maximum change of the highest band, up or down, dB; the lowest changes as much the other way, those between on a
        straight line.
    device_curve_db
        Standard deviation of a microphone's frequency response, dB, that a window passes through; 0 is off.
    offset_frames
        Maximum shift of a window within its clip, earlier or later, in frames.
    warp_semitones
        Maximum shift of a window's spectrum, up or down, in semitones.
    warp_tempo
        Range of a window's tempo: 2 fits twice as much of the clip into the window.
    seed
        Of the altered copies. It is not the training's seed, so that networks of several seeds share their features.
    """

    copies: Annotated[int, Field(ge=0, le=100)] = 0
    balance: tuple[Literal["class", "device"], ...] = ()
    most_copies: Annotated[int, Field(ge=1, le=100)] = 16
    pitch_semitones: Annotated[float, Field(ge=0, le=12)] = 0.0
    stretch: tuple[Annotated[float, Field(ge=0.5, le=2)], Annotated[float, Field(ge=0.5, le=2)]] = (1.0, 1.0)
    shift: bool = False
    impulse_response: Annotated[float, Field(ge=0, le=1)] = 0.0
    impulse_response_db: Annotated[float, Field(gt=0, le=20)] = 5.0
    impulse_response_folder: str = ""
    mixup: Annotated[float, Field(ge=0)] = 0.0
    time_masks: Annotated[int, Field(ge=0)] = 0
    time_mask_frames: Annotated[int, Field(ge=1)] = 2
    frequency_masks: Annotated[int, Field(ge=0)] = 0
    frequency_mask_bands: Annotated[int, Field(ge=1)] = 16
    mixstyle: Annotated[float, Field(ge=0, le=1)] = 0.0
    mixstyle_alpha: Annotated[float, Field(gt=0)] = 0.3
    power_mix: Annotated[float, Field(ge=0, le=1)] = 0.0
    gain_db: Annotated[float, Field(ge=0, le=40)] = 0.0
    tilt_db: Annotated[float, Field(ge=0, le=40)] = 0.0
    device_curve_db: Annotated[float, Field(ge=0, le=20)] = 0.0
    offset_frames: Annotated[int, Field(ge=0, le=10_000)] = 0
    warp_semitones: Annotated[float, Field(ge=0, le=12)] = 0.0
    warp_tempo: tuple[Annotated[float, Field(ge=0.5, le=2)], Annotated[float, Field(ge=0.5, le=2)]] = (1.0, 1.0)
    seed: Seed = 0

    later: ClassVar[tuple[str, ...]] = (
        "impulse_response_folder",
        "power_mix",
        "gain_db",
        "tilt_db",
        "device_curve_db",
        "offset_frames",
        "warp_semitones",
        "warp_tempo",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, (least, most) in (("stretch", self.stretch), ("warp_tempo", self.warp_tempo)):
            if least > most:
                raise ValueError(f"{name} {[least, most]} begins above its end")
        if self.impulse_response_folder and not self.impulse_response:
            raise ValueError("impulse_response_folder needs impulse_response, the share of the copies")
        if (self.copies or self.balance) and not self.alters:
            raise ValueError("copies and balance need pitch_semitones, stretch, shift or impulse_response")
        if self.alters and not (self.copies or self.balance):
            raise ValueError("pitch_semitones, stretch, shift and impulse_response need copies or balance")
        if self.copies > self.most_copies:
            raise ValueError(f"copies {self.copies} is over most_copies {self.most_copies}")
        return self

    @property
    def alters(self) -> bool:
        """Whether any augmentation of waveforms is on."""
        return bool(self.pitch_semitones or self.shift or self.impulse_response or self.stretch != (1.0, 1.0))
