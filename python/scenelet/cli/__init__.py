"""The command line. Commands are thin: a plain function does the work, its result prints as a table or as JSON."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence
from typing import TextIO

from ..errors import SceneletError

# Commands that find what an earlier call of theirs has done.
_RESUMING = ("train", "distill", "prune", "crossval", "tune")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        Its exit status: 0 done, 1 a check failed, 2 bad usage or input, 130 interrupted by Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _run(given)
        sys.stdout.flush()  # here, where a reader that has gone can still be seen to
    except KeyboardInterrupt:
        goes_on = next(iter(given), "") in _RESUMING
        return _complain("interrupted; " + ("the same command goes on" if goes_on else "nothing is half written"), 130)
    except BrokenPipeError:
        if not _gone(sys.stdout):
            raise
        # The reader (head, a pager) has gone; nothing is left to say, nor anywhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(arguments: list[str]) -> int:
    """Run one command without Typer's own main, which takes Ctrl-C and a closed pipe for itself."""
    import typer
    from typer.exceptions import TyperException
    from typer.main import get_command

    from .app import app

    command = get_command(app)
    try:
        with command.make_context("scenelet", arguments) as context:
            status = command.invoke(context)
    except SceneletError as error:
        return _complain(str(error), error.exit_status)
    except TyperException as error:
        return _complain(f"{error.format_message()} See 'scenelet --help'.", 2)
    except typer.Exit as ended:
        return int(ended.exit_code)
    except BrokenPipeError:  # below
        raise
    except OSError as error:
        if error.filename is None:  # no file of the user's
            raise
        return _complain(f"{error.filename}: {error.strerror}; check the path and its permissions", 2)
    return status if isinstance(status, int) else 0


def _gone(stream: TextIO) -> bool:
    """Whether the reader of a stream has gone."""
    poll = select.poll()
    poll.register(stream.fileno(), 0)  # what it tells of in any case: an error, or that nobody is there
    return bool(poll.poll(0))


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"scenelet: {' '.join(message.split())}\n")
    return status
