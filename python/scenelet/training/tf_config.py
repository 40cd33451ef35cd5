"""TF_CONFIG, TensorFlow's environment variable for training one network in several processes."""

from __future__ import annotations

import json
import os

from ..errors import InputError

VARIABLE = "TF_CONFIG"
_FORM = '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}}'


def workers() -> tuple[int, int] | None:
    """Index of this worker and number of workers; None where a process trains alone.

    Raises
    ------
    InputError
        Where TF_CONFIG is not of the supported form: workers only, worker 0 being the chief.
    """
    text = os.environ.get(VARIABLE, "")
    if not text.strip():
        return None
    try:
        content = json.loads(text)
        cluster, task = content["cluster"], content["task"]
        index, count = int(task["index"]), len(cluster["worker"])
        good = set(cluster) == {"worker"} and task["type"] == "worker" and 0 <= index < count
    except (KeyError, TypeError, ValueError):
        good = False
    if not good:
        raise InputError(VARIABLE, "names no worker of a cluster of workers", f"write {_FORM}")
    return (index, count) if count > 1 else None


def require_alone() -> None:
    """Check that this process trains alone: other commands would do the same work in every worker.

    Raises
    ------
    InputError
        Where TF_CONFIG names several workers.
    """
    if workers():
        raise InputError(
            VARIABLE, "names several workers, which only `scenelet train` can share", "unset it, and see --cluster"
        )
