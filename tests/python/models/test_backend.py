"""Keras's start: a command leaves out what it does without, a notebook has all."""

import os
import subprocess
import sys

import pytest

from scenelet.core.extras import LEAN_KERAS

PROGRAM = """
import sys
import scenelet.models.backend
print("matplotlib" in sys.modules)
import matplotlib.pyplot
"""


@pytest.mark.train
@pytest.mark.parametrize("lean", [True, False])
def test_keras_starts_without_plots_in_a_command_alone(lean: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != LEAN_KERAS}
    environment |= {LEAN_KERAS: "1"} if lean else {}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{not lean}\n"
