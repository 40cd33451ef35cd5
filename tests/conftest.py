"""Settings of all tests: in CI, generated examples are the same every time; at a desk they go on exploring."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
