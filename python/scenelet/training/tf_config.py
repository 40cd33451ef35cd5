"""What TF_CONFIG says, TensorFlow's variable for training one network by several processes."""

from __future__ import annotations

import json
import os

from ..errors import InputError

VARIABLE = "TF_CONFIG"
_FORM = '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}}'


def workers() -> tuple[int, int] | None:
    """Tell a worker's number and how many there are; None where a process trains alone.

    Raises
    ------
    InputError
        Where TF_CONFIG is not of the form that this needs: workers alone, worker 0 being the chief.
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
    """Refuse to do the same thing once a worker.

    Raises
    ------
    InputError
        Where TF_CONFIG names several.
    """
    if workers():
        raise InputError(
            VARIABLE, "names several workers, and they share plain training alone", "unset it, and see --cluster"
        )
