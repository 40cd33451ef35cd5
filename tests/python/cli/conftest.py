from collections.abc import Callable

import pytest
from commands import Done

from scenelet.cli import main


@pytest.fixture
def scenelet(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command in this process, as its console script would."""

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(status, captured.out, captured.err)

    return run
