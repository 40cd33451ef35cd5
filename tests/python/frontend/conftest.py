from __future__ import annotations

import pytest
from frontend_inputs import CONFIGS

from scenelet.config.recipe import FrontendConfig


@pytest.fixture(params=list(CONFIGS))
def config(request: pytest.FixtureRequest) -> FrontendConfig:
    return CONFIGS[request.param]
