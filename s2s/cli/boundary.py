"""The boundary at which every error becomes one message on standard error and an exit code."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from io import BytesIO, TextIOWrapper
from types import FrameType
from typing import NoReturn

import click

from s2s.errors import FailedElsewhereError, S2SError, Stopped, UsageError
from s2s.files import NO_ROOM
from s2s.hardware import keep_memory
from s2s.ranks import rank


def run(command: click.Command, arguments: Sequence[str] | None = None, name: str | None = None) -> int:
    """Run a command (default: with the arguments and name of this process) and return its exit code.

    Every error ends here. SIGTERM leaves through all `finally` clauses, so that temporary files go; training puts its
    own handler in this place. The process is the command's own, and keeps the memory that it frees.
    """
    keep_memory()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        _open_streams()
        status = command.main(args=arguments, prog_name=name, standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        return report(error)
    return status if isinstance(status, int) else 0


def _open_streams() -> None:
    """Take a closed standard input for an empty one; UsageError when standard output is closed."""
    if sys.stdin is None:
        sys.stdin = TextIOWrapper(BytesIO())
    if sys.stdout is None:
        sys.stdout = TextIOWrapper(BytesIO())
        raise UsageError("Standard output is closed: there is no place for results. Open it, or send it to a file.")


def report(error: BaseException) -> int:
    """Tell the user what went wrong; returns the exit code.

    What neither s2s nor the system raised is a bug and says so. A reader that went away (`s2s translate | head`) is
    click's to see: it ends the process quietly with exit code 1.
    """
    if os.environ.get("S2S_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, click.ClickException):
        return _report_wrong_use(error)
    message, exit_code = _describe(error)
    if isinstance(error, FailedElsewhereError) or (rank() and isinstance(error, (Stopped, KeyboardInterrupt))):
        return exit_code  # another process tells the same, or the reason
    click.echo(message if isinstance(error, Stopped) else f"error: {message}", err=True)
    return exit_code


def _report_wrong_use(error: click.ClickException) -> int:
    """A command line that cannot be understood: the usage of the command, then what is wrong with it."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return error.exit_code
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        click.echo(f"Try '{error.ctx.command_path} --help' for help.\n", err=True)
    click.echo(f"error: {error.format_message()}", err=True)
    return error.exit_code


def _describe(error: BaseException) -> tuple[str, int]:
    """The message and exit code for an error that is not about the command line."""
    if isinstance(error, S2SError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return "stopped.", 130
    if isinstance(error, click.Abort):
        return "the input ended early.", 1
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("s2s"):
        return f"the Python package {error.name} is not installed; s2s doctor names what is missing and the cure.", 1
    if isinstance(error, OSError) and (error.filename is not None or error.errno in NO_ROOM):
        place = "the output" if error.filename is None else os.fsdecode(error.filename)
        return f"{place}: {error.strerror}.", 1
    bug = f"this is a bug in s2s ({type(error).__name__}: {error})"
    return f"{bug}. Run again with S2S_DEBUG=1 to see where it arose, and report it.", 1


def _terminate(received: int, frame: FrameType | None) -> NoReturn:
    """Leave with the exit code of the signal."""
    sys.exit(128 + received)
