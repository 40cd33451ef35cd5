"""From samples to decisions on this computer: the firmware's C front end and the generated C engine."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...evaluation.decision import SILENT, Decider, Rule
from ...evaluation.evaluate import model_info
from ...frontend import mel
from ...frontend.silence import silent_windows
from ...targets.host import HostTarget
from ...tflite import metadata
from ...tflite.clip_head import ClipMemory
from ..listen import WindowDecision
from .columns import Columns
from .events import About, Load

_NAMES = {None: "unknown", SILENT: "silence"}
"""What the firmware says where no class is held (``scn_report_heard``)."""


class Chain:
    """A model and its front end, which decide as a board does.

    Parameters
    ----------
    model
        An INT8 .tflite with labels and front end.
    rule
        Rule over windows; None where the newest window decides alone.
    live
        Windows follow one another as those of a device's microphone, and silent ones are not run; otherwise as those
        of a stream of files.

    Raises
    ------
    ModelError
        The model cannot be compiled, or has no front end.
    ToolError
        There is no C compiler.
    """

    def __init__(self, model: Path, rule: Rule | None, *, live: bool = False) -> None:
        self._host = HostTarget(model)
        self.info = model_info(metadata.read(self._host.content, model), model)
        self.config, self.labels = self.info.frontend, self.info.labels
        self.columns = Columns(self._host.tables, live=live)
        self._name, self._rule, self._live = model.name, rule, live
        self._busy = 0.0

    def about(self, source: str, *notes: str) -> About:
        """Describe a source that is decided on here."""
        return describe(
            self.info, self._name, source, "computed by the firmware's C front end on this computer", self._rule, notes
        )

    def begin(self) -> None:
        """Begin a file, or listening after a gap: no window before it counts."""
        self._decider = Decider(self._rule) if self._rule else None
        self._memory = ClipMemory(self._host.clip_head) if self._host.clip_head else None
        self.resume()

    def resume(self) -> None:
        """Begin a window after a gap in the samples; the rule goes on."""
        self._host.reset()
        self.columns.begin()

    def push(self, samples: NDArray[np.int32]) -> tuple[int, NDArray[np.int8]]:
        """Take samples as :meth:`.columns.Columns.push` does."""
        start = time.perf_counter()
        try:
            return self.columns.push(samples)
        finally:
            self._busy += time.perf_counter() - start

    def decide(self, file: str, window: int) -> WindowDecision:
        """Decide on the complete window, and begin the next one."""
        start = time.perf_counter()
        features = self.columns.features
        silent = bool(silent_windows(features[None], self.info.silence)[0])
        if silent and self._live:
            self._host.reset()
            if self._decider:
                self._decider.hear_silence()
            found = WindowDecision(file, window, "", (), None, True)
        else:
            scores, answer = self._heard(features, silent)
            found = WindowDecision(
                file, window, self._named(int(scores.argmax())), tuple(map(int, scores)), None, silent
            )
            if self._decider:
                held = self._decider.hear_silence() if silent else self._decider.push(answer)
                found = WindowDecision(
                    file, window, found.label, found.scores, _NAMES.get(held) or self._named(int(held or 0)), silent
                )
        self.columns.follow()
        self._busy += time.perf_counter() - start
        return found

    def _heard(self, features: NDArray[np.int8], silent: bool) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Scores of a window, and those that a rule takes: the clip head's, where the model has one."""
        given = features.reshape(self._host.input.shape)
        if self._memory is None or self._host.clip_head is None:
            scores = self._host.invoke(given).reshape(-1)
            return scores, scores
        scores, embedding = self._host.watched(given, self._host.clip_head)
        return scores, scores if silent else self._memory.push(embedding)

    def _named(self, index: int) -> str:
        return self.labels[index] if index < len(self.labels) else "none"

    def spent(self, seconds: float) -> Load:
        """Load of this computer in the last ``seconds`` of audio; the next one counts anew."""
        busy, self._busy = self._busy, 0.0
        return Load(busy / seconds, "this computer's core", "measured", "front end and network")


def describe(
    info: metadata.ModelInfo, name: str, source: str, spectrogram: str, rule: Rule | None, notes: tuple[str, ...] = ()
) -> About:
    """Describe a source whose model is known."""
    config = info.frontend
    return About(
        source,
        name,
        info.labels,
        config.sample_rate,
        config.sample_bits,
        config.clip_seconds,
        config.hop_length / config.sample_rate,
        tuple(round(float(edge), 1) for edge in mel.band_edges(config)[1:-1]),
        spectrogram,
        shown_rule(rule),
        notes,
    )


def shown_rule(rule: Rule | None) -> str:
    """Describe a rule over windows; "" without one."""
    return f"share {rule.share} of 256, margin {rule.margin}, threshold {rule.threshold}" if rule else ""
