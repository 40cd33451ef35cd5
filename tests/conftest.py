"""Settings of all tests, and the fixtures that tests of several packages share."""

import os

from hypothesis import settings

pytest_plugins = (
    "fixtures_commands",
    "fixtures_datasets",
    "fixtures_firmware",
    "fixtures_networks",
    "fixtures_results",
    "fixtures_training",
    "needs",
)

# In CI, generated examples are the same every time; at a desk they go on exploring.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
