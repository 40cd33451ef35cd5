"""TFLite's operators: what each may look like, and the kernel call that it becomes; one file per family.

The parameter structs, their units and the packed layouts are stated in the headers of firmware/lib/engine.
"""

from .lowering import aliases, lower, require_supported
from .registry import OPERATORS, STATE_OPERATORS, tflm_method

__all__ = ["OPERATORS", "STATE_OPERATORS", "aliases", "lower", "require_supported", "tflm_method"]
