"""The command line. Commands are thin: a plain function does the work, its result prints as a table or as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..errors import SceneletError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 done, 1 a check failed, 2 bad usage or input."""
    from typer.exceptions import TyperException
    from typer.main import get_command

    from .app import app

    try:
        status = get_command(app).main(args=arguments, prog_name="scenelet", standalone_mode=False)
    except SceneletError as error:
        return _complain(str(error), error.exit_status)
    except TyperException as error:
        return _complain(f"{error.format_message()} See 'scenelet --help'.", 2)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except BrokenPipeError:
        # The reader (head, a pager) has gone; nothing is left to say, nor anywhere to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None:  # no file of the user's
            raise
        return _complain(f"{error.filename}: {error.strerror}; check the path and its permissions", 2)
    return status if isinstance(status, int) else 0


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"scenelet: {' '.join(message.split())}\n")
    return status
