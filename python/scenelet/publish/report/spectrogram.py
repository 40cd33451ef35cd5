"""A window's features as the board computes them beside librosa's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import FrontendConfig
from ...errors import ToolError
from ...frontend.accuracy import log_mel_db, quantized
from ...frontend.available import open_frontend
from ...frontend.stimuli import trial_signals
from ...frontend.tables import make_tables
from ..page.figures import compact
from ..page.frame import Part
from ..page.image import gradient, png, wav
from ..page.rendering import rendered
from .front_end import NONE
from .subject import Subject

_KIND, _LEVEL_DB = "voices", -10


def part(subject: Subject) -> Part:
    """The part of the page."""
    if subject.info is None:
        return Part("spectrogram", "What the network sees", missing=NONE)
    config = subject.info.frontend
    name, window = _window(subject, config)
    board = open_frontend(make_tables(config)).features(window[None])[0]
    pictures = [("as the board computes them, INT8", png(_picture(board)))]
    values = {
        "name": name, "sound": wav(window, config.sample_rate, config.sample_bits), "gradient": gradient(),
        "config": config, "shape": board.shape, "top": compact(config.top_frequency),
    }  # fmt: skip
    missing = ""
    try:
        wanted = quantized(log_mel_db(window[None], config), config)[0]
        error = np.abs(board.astype(int) - wanted)
        pictures.append(("as librosa computes them, rounded to INT8", png(_picture(wanted))))
        values["differ"], values["most"] = int(np.count_nonzero(error)), int(error.max())
    except ToolError as problem:  # librosa is not installed
        missing = str(problem)
        values["differ"], values["most"] = None, None
    body = rendered(__package__, "spectrogram", {**values, "pictures": pictures})
    return Part("spectrogram", "What the network sees", body, missing)


def _picture(features: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Values from 0, the lowest band at the bottom."""
    return (features[::-1].astype(np.int16) + 128).astype(np.uint8)


def _window(subject: Subject, config: FrontendConfig) -> tuple[str, NDArray[np.int32]]:
    """The loudest window of the split's first clip; without a data set, a test signal that resembles a voice."""
    if subject.request.dataset is not None:
        clip = subject.clips[0][0]
        windows = subject.windows(clip)
        loudest = int(np.abs(windows.astype(np.int64)).sum(axis=1).argmax())
        return f"{clip.named(clip.path.name)}, window {loudest}, of class {clip.label}", windows[loudest]
    signals = trial_signals(config.sample_rate, config.clip_samples, config.sample_bits)
    signal = next(one for one in signals if (one.kind, one.level_db) == (_KIND, _LEVEL_DB))
    return f"A test signal, {_KIND} with a peak of {_LEVEL_DB} dB of full scale", signal.samples
