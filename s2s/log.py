"""What s2s says while it works: plain lines and progress bars, on standard error only."""

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from s2s.ranks import rank

if TYPE_CHECKING:
    from tqdm import tqdm

Item = TypeVar("Item")


def say(message: str) -> None:
    """One line on standard error, above a running progress bar if there is one, by the first of several processes."""
    if rank():
        return
    _tqdm().write(message, file=sys.stderr)
    sys.stderr.flush()


def warn(message: str) -> None:
    """One line on standard error that begins with `warning:`."""
    say(f"warning: {message}")


def progress(
    items: Iterable[Item], what: str, total: int | None = None, unit: str = "segments", delay: float = 1
) -> Iterator[Item]:
    """The items, with a bar of the time left once `delay` seconds went by; without a terminal, a line every 10 s."""
    interval = 0.2 if sys.stderr.isatty() else 10.0
    yield from _tqdm()(
        items,
        desc=what,
        total=total,
        unit=f" {unit}",
        file=sys.stderr,
        delay=delay,
        mininterval=interval,
        leave=False,
        disable=rank() > 0,
    )


@cache
def _tqdm() -> "type[tqdm[Any]]":
    """Bars with a lock of this process alone.

    tqdm's own lock is common to a process and all that it forks: one that is killed while it writes would stop the
    others for ever. The thread with which tqdm watches bars may hold it at the moment of a fork, too: ours need none.
    """
    from tqdm import tqdm

    class Bars(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0

    Bars.set_lock(RLock())
    return Bars


def clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
