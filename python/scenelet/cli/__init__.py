"""The command line. Commands are thin: a plain function does the work, and its result prints as a table or as JSON."""

from __future__ import annotations

import errno
import io
import os
import select
import sys
import tempfile
from collections.abc import Sequence
from typing import TextIO

from ..core import toolchain
from ..core.extras import LEAN_KERAS
from ..core.processes import Stopped, stoppable
from ..core.shown import shown
from ..errors import SceneletError

_COMPLETE = "_SCENELET_COMPLETE"

# Commands that resume from the files of an interrupted call.
_RESUMING = ("train", "distill", "prune", "crossval", "tune")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        Its exit status: 0 success, 1 a check failed, 2 wrong usage or input, 130 interrupted by Ctrl-C, 143 terminated
        by SIGTERM, 129 by SIGHUP.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    resumes = next(iter(words), "") in _RESUMING
    kept = "run the same command to resume" if resumes else "no file is half written"
    _show_everything()
    os.environ.setdefault(LEAN_KERAS, "1")
    try:
        with stoppable():
            status = _run(words)
            sys.stdout.flush()  # while a closed pipe can still be handled
    except KeyboardInterrupt:
        return _fail(f"interrupted; {kept}", 130)
    except Stopped as stopped:
        return _fail(f"terminated; {kept}", stopped.exit_status)
    except BrokenPipeError:
        if not _reader_closed(sys.stdout):
            raise
        # The reader (head, a pager) has closed the pipe, so the rest of the output goes nowhere: a success.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _show_everything() -> None:
    """Print names that are not UTF-8, or that the terminal's encoding lacks, as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: list[str]) -> int:
    """Run one command without Typer's own main, which would handle Ctrl-C and closed pipes itself."""
    import typer
    from typer.exceptions import TyperException
    from typer.main import get_command

    from .app import app
    from .help import add_examples
    from .output import remarks_as_notes, stages

    command = get_command(app)
    add_examples(command)
    if _COMPLETE in os.environ:  # the shell asks what could follow
        command.main(prog_name="scenelet", standalone_mode=True)
    try:
        with remarks_as_notes(), stages(), command.make_context("scenelet", arguments) as context:
            status = command.invoke(context)
    except SceneletError as error:
        return _fail(str(error), error.exit_status)
    except TyperException as error:
        return _fail(f"{error.format_message().rstrip('.')}; see '{_usage_of(error)} --help'", 2)
    except typer.Exit as ended:
        return int(ended.exit_code)
    except BrokenPipeError:  # an OSError, handled by main
        raise
    except OSError as error:
        if error.filename is not None:
            return _fail(f"{_text(error.filename)}: {error.strerror}; check the path and its permissions", 2)
        if error.errno not in _SHORTAGES:  # not about a file of the user, nor about the computer
            raise
        places = f"{toolchain.build_folder()}, {tempfile.gettempdir()} or the output"
        return _fail(f"{places}: {error.strerror}; {_SHORTAGES[error.errno]}", 2)
    except MemoryError:
        return _fail("this computer has too little memory for that; give less at a time", 2)
    return status if isinstance(status, int) else 0


_SHORTAGES = {
    errno.ENOSPC: "free space there",
    errno.EDQUOT: "free space there",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EMFILE: "allow more open files (ulimit -n), or use fewer --jobs",
    errno.ENFILE: "allow more open files",
    errno.EIO: "check the disk",
    errno.EROFS: "choose another place",
}


def _text(name: str | bytes) -> str:
    return os.fsdecode(name) if isinstance(name, bytes) else str(name)


def _usage_of(error: Exception) -> str:
    """The command whose usage is wrong, such as ``scenelet device info``."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else "scenelet"


def _reader_closed(stream: TextIO) -> bool:
    """Whether the reader of a pipe has closed it."""
    poll = select.poll()
    poll.register(stream.fileno(), 0)  # with an empty mask, poll still reports errors and hang-ups
    return bool(poll.poll(0))


def _fail(message: str, status: int) -> int:
    lines = (line.strip() for line in message.split("\n"))
    sys.stderr.write(f"scenelet: {shown(' '.join(line for line in lines if line))}\n")
    return status
