"""An object of native code in a child process, so that what ends the child is an error here and not the end.

The two speak over a socket: the class and its arguments once, then one method call at a time. The child may have
damaged its own memory, so its answers are JSON and .npy without pickles.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from typing import Any

import numpy as np

_MEMORY_BYTES = 8 << 30
"""Address space of the child: far more than a model needs, and less than what would starve this computer."""
_SECONDS = 5.0
_START = "from scenelet.targets.isolation import serve; serve({})"


class ChildDied(Exception):
    """The child process ended; the text says how, such as "SIGABRT"."""


class Isolated:
    """An object of a class of this package, in a child process.

    Parameters
    ----------
    kind
        The class, importable by its module and name.
    content
        Its first argument.
    arguments
        Further arguments that JSON can hold.

    Raises
    ------
    RuntimeError
        The object says no; with its words.
    ChildDied
        The child ended.
    """

    def __init__(self, kind: type, content: bytes, *arguments: int | str) -> None:
        self._socket, theirs = Pipe()
        path = os.pathsep.join(entry for entry in sys.path if entry)
        # Native libraries print what they die of; it is not the user's to read between our lines.
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the child)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START.format(theirs.fileno())],
            env=os.environ | {"PYTHONPATH": path},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._printed,
            stderr=self._printed,
        )
        theirs.close()
        self._send({"module": kind.__module__, "name": kind.__name__, "arguments": arguments}, content)
        self._answer()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*arguments: Any) -> Any:
            array = next((one for one in arguments if isinstance(one, np.ndarray)), None)
            plain = [None if one is array else one for one in arguments]
            self._send({"method": name, "arguments": plain}, b"" if array is None else _packed(array))
            return self._answer()

        return call

    def _send(self, message: dict[str, Any], content: bytes) -> None:
        with contextlib.suppress(OSError):  # _answer finds the child dead
            self._socket.send_bytes(json.dumps(message).encode())
            self._socket.send_bytes(content)

    def _answer(self) -> Any:
        try:
            answer = json.loads(self._socket.recv_bytes())
            content = self._socket.recv_bytes()
            value = np.load(io.BytesIO(content), allow_pickle=False) if content else answer["value"]
        except (EOFError, OSError, ValueError, KeyError):
            raise ChildDied(self._end()) from None
        if answer.get("error") is not None:
            raise RuntimeError(answer["error"])
        return value

    def _end(self) -> str:
        """How the child ended, after giving it a moment to do so."""
        self._socket.close()
        try:
            status = self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
        return f"status {status}"

    def close(self) -> None:
        """End the child."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._printed.close()

    def __del__(self) -> None:
        if "_process" in self.__dict__:
            self.close()


def serve(handle: int) -> None:
    """Do the child's work until the other end closes.

    Parameters
    ----------
    handle
        File descriptor of the socket.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    if most == resource.RLIM_INFINITY or most > _MEMORY_BYTES:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, most))
    socket = Connection(handle)
    served: Any = None
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            message, content = json.loads(socket.recv_bytes()), socket.recv_bytes()
            answer: dict[str, Any] = {"error": None, "value": None}
            result = b""
            try:
                if served is None:
                    kind = getattr(import_module(message["module"]), message["name"])
                    served = kind(content, *message["arguments"])
                else:
                    value = _call(served, message, content)
                    answer["value"], result = (None, _packed(value)) if isinstance(value, np.ndarray) else (value, b"")
            except Exception as error:  # whatever it is, the other process says it
                answer["error"] = str(error) or type(error).__name__
            socket.send_bytes(json.dumps(answer).encode())
            socket.send_bytes(result)


def _call(served: Any, message: dict[str, Any], content: bytes) -> Any:
    """Call a method with its arguments; None stands for the one that is an array."""
    array = np.load(io.BytesIO(content), allow_pickle=False) if content else None
    return getattr(served, message["method"])(*(array if one is None else one for one in message["arguments"]))


def _packed(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
