"""The first SIGINT or SIGTERM lets the running update end; the second stops at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from s2s.log import say


@contextmanager
def polite_stop() -> Iterator[Callable[[], signal.Signals | None]]:
    """A context whose value tells which signal asked to stop, if one did; the handlers before it are restored."""
    received: list[signal.Signals] = []

    def handle(number: int, frame: FrameType | None) -> None:
        received.append(signal.Signals(number))
        signal.signal(number, before[signal.Signals(number)])
        say(f"{received[0].name}: stopping after this update; the same signal again stops at once.")

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, handle)
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
