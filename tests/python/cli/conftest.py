from collections.abc import Callable
from dataclasses import dataclass

import pytest

from scenelet.cli import main


@dataclass(frozen=True)
class Done:
    """What one command left behind."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of an error; fails where it is none or more than one."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("scenelet: ")
        return lines[0].removeprefix("scenelet: ")


@pytest.fixture
def scenelet(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command in this process, as its console script would."""

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(status, captured.out, captured.err)

    return run
