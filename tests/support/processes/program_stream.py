"""A program on this computer whose standard input and output are a device's serial port."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

from scenelet.errors import ToolError


class ProgramStream:
    """A program's standard input and output as a byte stream; ``microphone`` is the file that it hears."""

    def __init__(self, program: Path, microphone: Path | None = None) -> None:
        environment = dict(os.environ)
        if microphone:
            environment |= {"SCENELET_MICROPHONE": str(microphone), "SCENELET_LED": f"{microphone}-led"}
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()

    def read(self, seconds: float) -> bytes:
        if not select.select([self._out], [], [], seconds)[0]:
            return b""
        content = os.read(self._out, 65_536)
        if not content:
            raise ToolError("device", "closed the connection", "see above")
        return content

    def write(self, content: bytes) -> None:
        try:
            while content:
                content = content[os.write(self._in, content) :]
        except BrokenPipeError:
            raise ToolError("device", "does not read", "see above") from None

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
