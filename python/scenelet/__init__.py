"""From acoustic scene recordings to a Cortex-M4."""

__version__ = "0.2.0"
