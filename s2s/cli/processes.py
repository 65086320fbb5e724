"""One command as several processes of this machine that work together; on several machines `torchrun` starts them."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from s2s import ranks
from s2s.cli import boundary
from s2s.errors import UsageError

Result = TypeVar("Result")

PATIENCE = 5.0
"""Seconds that other processes have to stop when one has failed."""


def run_together(processes: int, work: Callable[[], Result]) -> Result:
    """Call `work` in so many processes that find each other by the environment; this one is the first of them.

    What it gives here is returned. Where it fails, the others are stopped. This process must not have begun to use
    torch, whose threads a fork would lose.
    UsageError: this process is already one of several.
    """
    if processes == 1:
        return work()
    if ranks.count() > 1:
        raise UsageError("--processes has no effect under torchrun, which starts the processes itself: leave it out.")
    with _environment(meeting_place(processes) | {"RANK": "0", "LOCAL_RANK": "0"}):
        children = [_fork(rank, work) for rank in range(1, processes)]
        try:
            found = work()
        except BaseException:
            _end(children)
            raise
        for child in children:
            os.waitpid(child, 0)
        return found


def _end(children: Sequence[int]) -> None:
    """Ask processes to stop, and after a while make them: one that waits for another in torch hears no signal."""
    for child in children:
        os.kill(child, signal.SIGTERM)
    patience = time.monotonic() + PATIENCE
    for child in children:
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > patience:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.02)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Within the context the environment has these variables, too."""
    os.environ |= variables
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)


def meeting_place(processes: int) -> dict[str, str]:
    """What so many processes of this machine need in the environment to find each other, as `torchrun` would set it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    count = str(processes)
    return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}


def _fork(rank: int, work: Callable[[], object]) -> int:
    """A process of that rank; returns its number in the system."""
    child = os.fork()
    if child:
        return child
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    code = 1
    try:  # whatever happens, this process must not go on in its parent's code
        code = _exit_code(work)
        sys.stderr.flush()
    finally:
        os._exit(code)


def _exit_code(work: Callable[[], object]) -> int:
    """How `work` ends, of which the user is told."""
    try:
        work()
    except SystemExit as exit:
        return exit.code if isinstance(exit.code, int) else 1
    except BaseException as error:
        return boundary.report(error)
    return 0
