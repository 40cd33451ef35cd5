"""Puts the folders of tests/support on the path, as pytest has it; imported first by what is run by hand."""

import os
import sys
from pathlib import Path

_SUPPORT = Path(__file__).resolve().parents[1]
FOLDERS = [str(_SUPPORT / name) for name in ("", "faults", "fixtures", "processes", "reliability")]
sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]
# For the processes that they start.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (*FOLDERS, os.environ.get("PYTHONPATH", ""))))
