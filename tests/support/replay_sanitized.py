"""Runs pickled kernel calls in a library built with sanitizers; started in a process that has their runtime loaded.

``python replay_sanitized.py LIBRARY CALLS``: CALLS holds a list of (step, tensors, wanted output).
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
from engine_library import Engine


def main() -> None:
    """Raise at the first wrong output; a sanitizer ends the process at the first error it sees."""
    engine = Engine(Path(sys.argv[1]))
    for step, tensors, want in pickle.loads(Path(sys.argv[2]).read_bytes()):
        np.testing.assert_array_equal(engine.run(step, tensors), want.ravel(), err_msg=step.name)


if __name__ == "__main__":
    main()
