"""What a page is about, and what several of its parts need: read, compiled, evaluated and measured once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...benchmark.explain import Explanation, explain_compiled
from ...benchmark.instructions import Bench, bench
from ...compiler.options import DEFAULT, Options
from ...compiler.pipeline import Compiled, compile_model
from ...core.files import is_there, read_bytes
from ...data.dataset import Clip, Dataset
from ...errors import InputError, ModelError, ToolError
from ...evaluation.evaluate import Evaluation, clip_windows, clips_of, evaluate, model_info
from ...evaluation.float_network import FloatTarget
from ...evaluation.sqnr import Comparison, compare_networks, drawn
from ...targets import open_target
from ...targets.base import Target
from ...tflite.metadata import ModelInfo
from ...training import run_folder

Progress = Callable[[int, int], None]
_NOISE_WINDOWS = 32


@dataclass(frozen=True)
class Missing:
    """What a reader does to see what is not there."""

    remedy: str


@dataclass(frozen=True)
class Request:
    """What a page is asked to show.

    Attributes
    ----------
    subject
        A run folder with a quantized model, or an INT8 .tflite file.
    dataset, split
        What the model is evaluated on; None for no evaluation.
    targets
        Where, beside TFLite's reference kernels: "host", "qemu" ...
    measure
        Whether instructions and flash are counted in QEMU.
    float_network
        Whether a run's float network is compared, which needs TensorFlow.
    options, board
        How the model is compiled; the board whose memory is a limit, by default the smallest.
    mistakes
        Most mistakes to show with their sound.
    made, bench
        Evaluations on the data set's split, that of "litert" among them, and counts of this model with these options,
        which the caller has already; none is made then.
    """

    subject: Path
    dataset: Dataset | None = None
    split: str = "test"
    targets: tuple[str, ...] = ()
    measure: bool = False
    float_network: bool = True
    options: Options = DEFAULT
    board: str | None = None
    mistakes: int = 6
    made: tuple[Evaluation, ...] = ()
    bench: Bench | None = None


class Subject:
    """The model of a page.

    Parameters
    ----------
    request
        What the page is asked to show.
    watch
        Called with the name of a target before it is evaluated; gives what is then called with (clips done, clips).

    Raises
    ------
    InputError
        There is no model.
    """

    def __init__(self, request: Request, watch: Callable[[str], Progress] | None = None) -> None:
        self.request = request
        self.model = _model_of(request.subject)
        self.run = request.subject if request.subject.is_dir() else None
        self.content = read_bytes(self.model)
        self._watch = watch

    @cached_property
    def compiled(self) -> Compiled:
        """The model as the options have it compiled."""
        return compile_model(self.model, self.request.options)

    @property
    def info(self) -> ModelInfo | None:
        """Its metadata; None for a model from elsewhere."""
        return self.compiled.info

    @cached_property
    def explanation(self) -> Explanation:
        """The compiler's decisions."""
        return explain_compiled(self.compiled)

    @cached_property
    def bench(self) -> Bench | None:
        """Counts in QEMU, where they were asked for."""
        if self.request.bench is not None:
            return self.request.bench
        return bench(self.model, self.request.options) if self.request.measure else None

    @cached_property
    def float_network(self) -> bytes | Missing:
        """The run's float network as a .tflite, or what to do to see it."""
        if self.info is None:
            return Missing("A model without metadata of scenelet has no float network here.")
        if self.run is None:
            return Missing("Give the run folder of the model instead of its .tflite file, for its float network.")
        if not self.request.float_network:
            return Missing("Leave out --no-float, for the run's float network.")
        if not is_there(self.run / run_folder.MODEL):
            return Missing(f"{self.run} holds no {run_folder.MODEL}: train the run here, for its float network.")
        try:
            from ...quantization.convert import convert_float

            return convert_float(run_folder.load_model(self.run))
        except ToolError as error:  # TensorFlow is not installed
            return Missing(str(error))

    @cached_property
    def noise(self) -> Comparison | Missing:
        """Noise of every layer's INT8 values against the float network, on some of the run's calibration windows."""
        content = self.float_network
        if isinstance(content, Missing) or self.run is None:
            return content if isinstance(content, Missing) else Missing("")
        windows = drawn(run_folder.load_calibration(self.run), _NOISE_WINDOWS)
        try:
            return compare_networks(self.content, content, windows)
        except ModelError as error:  # a network whose layers were changed after its training
            return Missing(str(error))

    @cached_property
    def clips(self) -> tuple[list[Clip], NDArray[np.int64]]:
        """Clips of the split, and their true classes."""
        assert self.request.dataset is not None
        return clips_of(self.request.dataset, self.known, self.request.split, self.model)

    @property
    def no_data(self) -> str:
        """What to do where there is no data set."""
        if self.info is None:
            return "A model without metadata of scenelet takes tensors, and is given no audio."
        return "Give a data set with --data DIR."

    @property
    def known(self) -> ModelInfo:
        """The metadata of a model that is given audio.

        Raises
        ------
        ModelError
            Where it has none.
        """
        return model_info(self.info, self.model)

    def windows(self, clip: Clip) -> NDArray[np.int32]:
        """Windows of a clip, (n, clip samples)."""
        return clip_windows(clip, self.known)

    @cached_property
    def evaluations(self) -> dict[str, Evaluation]:
        """Evaluations by the target's name, on the data set; the first is that of TFLite's kernels."""
        dataset = self.request.dataset
        if dataset is None or self.request.made:
            return {one.target: one for one in self.request.made}
        _ = self.clips  # before a target is made ready
        found = {}
        for name in dict.fromkeys(("litert", *self.request.targets)):
            with open_target(name, self.model, self.request.options) as place:
                found[name] = self._evaluated(dataset, place)
        content = self.float_network
        if not isinstance(content, Missing):
            with FloatTarget(self.model, content) as place:
                found[place.name] = self._evaluated(dataset, place)
        return found

    def _evaluated(self, dataset: Dataset, place: Target) -> Evaluation:
        step = self._watch(place.name) if self._watch else None
        return evaluate(self.model, self.known, dataset, self.request.split, place, progress=step)


def _model_of(subject: Path) -> Path:
    """The .tflite file of a run folder, or the path itself."""
    model = subject / run_folder.TFLITE if subject.is_dir() else subject
    if not model.is_file():
        raise InputError(
            subject,
            f"holds no {run_folder.TFLITE}" if subject.is_dir() else "no such file",
            "run `scenelet quantize` on it first" if subject.is_dir() else "check the path",
        )
    return model
