"""One search on several machines by KerasTuner's own protocol: a chief that draws points, and workers that train them.

KerasTuner's environment variables give every process its role; all share the search's folder.

::

    KERASTUNER_TUNER_ID       chief, or another name for every worker
    KERASTUNER_ORACLE_IP      address at which the chief listens
    KERASTUNER_ORACLE_PORT

A worker that was killed is started again under its name and gets its trial again. Workers do not wait for each other,
so a point may be promoted before its round is complete. Which points are promoted then depends on the workers' timing.
"""

from __future__ import annotations

import tempfile
import time
from typing import Any, Literal

from ...errors import InputError, SceneletError, ToolError
from .backend import keras_tuner
from .hyperband import LOSS, Oracle, Progress, Search, SearchResult, finish, finished

_IDLE_SECONDS = 0.5

Role = Literal["chief", "worker"]


def role() -> Role | None:
    """Role of this process by KerasTuner's environment; None for a search in one process.

    Raises
    ------
    InputError
        Where a part of the environment is missing.
    """
    from keras_tuner.src.distribute import utils

    try:
        if not utils.has_chief_oracle():
            return None
    except RuntimeError:
        raise InputError(
            "KERASTUNER_ORACLE_IP", "is set without the rest", "also set KERASTUNER_ORACLE_PORT and KERASTUNER_TUNER_ID"
        ) from None
    return "chief" if utils.is_chief_oracle() else "worker"


class _Tuner(keras_tuner.engine.base_tuner.BaseTuner):  # type: ignore[misc]
    """KerasTuner's loop around a search's trials."""

    def __init__(self, oracle: Oracle, shared: Search, scratch: str, progress: Progress | None = None) -> None:
        self._shared, self._progress, self._most = shared, progress, oracle.most_trials
        self._idle, self.done = False, 0
        super().__init__(oracle, directory=scratch, project_name="search")

    def pre_create_trial(self) -> None:
        """Wait before asking the chief again if it had no trial the last time."""
        if self._idle:
            time.sleep(_IDLE_SECONDS)
        self._idle = True

    def on_trial_begin(self, _trial: Any) -> None:
        """Note that the chief had a trial."""
        self._idle = False

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """Train a trial's point."""
        try:
            return {LOSS: self._shared.trial(trial.hyperparameters.values)}
        except SceneletError as error:  # another trial would fail in the same way
            raise keras_tuner.errors.FatalError(str(error)) from error

    def on_trial_end(self, trial: Any) -> None:
        """Report to the chief, and to the progress callback."""
        super().on_trial_end(trial)
        self.done += 1
        if self._progress:
            self._progress(self.done, self._most)


def run_chief(shared: Search) -> SearchResult:
    """Run the chief: wait for the workers to train all trials, then finish the search.

    Raises
    ------
    ToolError
        Where the chief cannot listen at its address.
    """
    found = finished(shared)
    if found:
        return found
    oracle = shared.oracle()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            _Tuner(oracle, shared, scratch).search(verbose=0)
        except RuntimeError as error:
            raise ToolError("KerasTuner's chief", f"cannot listen ({error})", "choose another port") from None
    return finish(shared, oracle)


def run_worker(shared: Search, progress: Progress | None = None) -> int:
    """Run a worker until the chief has no more trials; returns the number of trials that this worker trained.

    Raises
    ------
    ToolError
        Where the chief no longer answers.
    """
    import grpc

    with tempfile.TemporaryDirectory() as scratch:
        tuner = _Tuner(shared.oracle(), shared, scratch, progress)
        try:
            tuner.search()
        except grpc.RpcError as error:
            details = getattr(error, "details", lambda: "")() or "no answer"
            remedy = "start it again, then this worker: what is trained stays"
            raise ToolError("KerasTuner's chief", f"no longer answers ({details})", remedy) from None
        except keras_tuner.errors.FatalError as error:
            raise error.__cause__ or error from None
    return tuner.done
