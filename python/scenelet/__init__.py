"""From acoustic scene recordings to a Cortex-M4.

``load``, ``features``, ``train`` and ``export`` are the Python interface; they are imported when they are first used.
"""

from typing import Any

__version__ = "0.2.0"
__all__ = ["Decision", "Model", "__version__", "export", "features", "load", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.api"), name)


def __dir__() -> list[str]:
    return __all__
