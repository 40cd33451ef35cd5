"""Every error that scenelet raises on purpose.

::

    SceneletError                 the root; the command line prints it as one line
    ├── InputError                an input that cannot be used             exit status 2
    │   ├── AudioError            an audio file or its samples
    │   ├── DatasetError          a folder, a CSV file, a label, a split
    │   ├── RecipeError           a recipe's key or value
    │   ├── DamagedFileError      a file whose content is not what its format or its hash says
    │   └── ModelError            a .tflite file
    │       └── UnsupportedError  an operator, type or size that the engine lacks
    ├── ToolError                 a program is missing or failed           exit status 2
    └── CheckFailed               a check ran and failed                   exit status 1
        ├── LimitExceeded         over a budget
        ├── ParityError           two implementations differ
        └── StaleError            generated files do not match their model

A message is one line that names the file, field, operator or layer, and the remedy.
"""

from __future__ import annotations

# A file's name may hold them; the message is one line all the same, and names that file.
_LONGEST = 600  # characters; a value from a damaged file may fill pages
_LINE_ENDS = {ord("\n"): r"\n", ord("\r"): r"\r"}


def _short(text: str) -> str:
    """A text without its middle, where it is too long to be read."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} [...] {text[-half:]}"


def _one_line(text: str) -> str:
    return text.translate(_LINE_ENDS)


class SceneletError(Exception):
    """Root of all deliberate errors.

    Parameters
    ----------
    subject
        What the error is about: a path, ``file:line``, a recipe key, an operator with its layer.
    problem
        What is wrong with it.
    remedy
        What to do about it.
    """

    exit_status = 2

    def __init__(self, subject: object, problem: str, remedy: str = "") -> None:
        self.subject = str(subject)
        self.problem = problem
        self.remedy = remedy
        super().__init__(subject, problem, remedy)

    def __str__(self) -> str:
        problem, remedy = map(_short, (self.problem, self.remedy))
        said = f"{problem}; {remedy}" if remedy else problem
        lines = (line.strip() for line in said.split("\n"))
        return f"{_one_line(self.subject)}: {_one_line(' '.join(line for line in lines if line))}"


class InputError(SceneletError):
    """An input that cannot be used."""


class AudioError(InputError):
    """An audio file that cannot be read, or samples that cannot be used."""


class DatasetError(InputError):
    """A data set whose layout, CSV file, label or split is wrong."""


class RecipeError(InputError):
    """A recipe with an unknown key or an impossible value."""


class DamagedFileError(InputError):
    """A file whose content is not what its format, its keys or its hash say; its reading did not fail."""


class ModelError(InputError):
    """A .tflite file that cannot be used."""


class UnsupportedError(ModelError):
    """A .tflite file with an operator, type or size that the engine lacks."""


class ToolError(SceneletError):
    """A program (compiler, emulator, PlatformIO) is missing or failed."""


class CheckFailed(SceneletError):
    """A check ran and failed."""

    exit_status = 1


class LimitExceeded(CheckFailed):
    """A cost is over its limit."""


class ParityError(CheckFailed):
    """Two implementations that must agree differ."""


class StaleError(CheckFailed):
    """Generated files that do not match what they are generated from."""
