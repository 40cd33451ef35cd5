"""What a task that runs in a cluster's worker itself can tell of it."""

import sys


def imported(module: str) -> bool:
    """Whether the worker has imported a module."""
    return module in sys.modules
