"""The picture of what more RAM buys, as SVG or as a page."""

from .picture import require_kind, write_tradeoff

__all__ = ["require_kind", "write_tradeoff"]
