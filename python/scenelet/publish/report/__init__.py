"""The page of one model or run: every part gathers its figures from the code that the commands use.

A part is a module with a function ``part``, which gives a :class:`scenelet.publish.page.frame.Part`, and a template of
the same name. What cannot be had (no data set, no QEMU, no float network) is said in its place, with what to do.
"""

from .page import write_report
from .subject import Request

__all__ = ["Request", "write_report"]
