"""What a command of the console script left behind."""

from dataclasses import dataclass


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
