"""Settings of all tests, and the fixtures that tests of several packages share."""

import os

from hypothesis import HealthCheck, settings

from scenelet.core.extras import LEAN_KERAS

pytest_plugins = (
    "fixtures_browser",
    "fixtures_commands",
    "fixtures_datasets",
    "fixtures_entries",
    "fixtures_firmware",
    "fixtures_networks",
    "fixtures_pages",
    "fixtures_results",
    "fixtures_training",
    "needs",
)

# As in a command: the processes of tests, and those that they start, import a Keras without what it can do without.
os.environ.setdefault(LEAN_KERAS, "1")

# A busy computer is no defect: no example has a deadline. In CI, generated examples are the same every time; at a desk
# they go on exploring.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("desk", patient)
settings.register_profile("ci", patient, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
