"""Remarks on inputs that are used all the same. They are warnings, so that they pass through every layer by themselves.

The command line prints them as notes; Python's filters turn them off or into errors.
"""

from __future__ import annotations

import warnings


class InputNote(UserWarning):
    """A remark on an input that is used all the same."""


def note(subject: object, text: str) -> None:
    """Tell the user something on an input; the same text once per process, as Python's filters have it.

    Parameters
    ----------
    subject
        What the remark is about, such as a path.
    text
        What was found, and what was done about it.
    """
    warnings.warn(InputNote(f"{subject}: {text}"), stacklevel=2)
