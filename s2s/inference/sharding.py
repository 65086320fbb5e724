"""A large input, dealt out to several processes that compute side by side; the first puts all together in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from s2s.group import Group

Item = TypeVar("Item")
Result = TypeVar("Result")


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of that size, the last of which may be shorter."""
    ahead = iter(items)
    while batch := list(islice(ahead, size)):
        yield batch


def deal(
    windows: Iterable[Sequence[Item]], work: Callable[[Sequence[Item]], Iterable[Result]], group: Group
) -> Iterator[Result]:
    """What `work` makes of the items of all windows, one result of each, in order, on the process that leads.

    That one reads the windows; each process works on every `size`-th item of each. On the others nothing is yielded,
    and `windows` is not read.
    """
    ahead = iter(windows)
    while (window := _next(ahead, group)) is not None:
        shares = group.gather(list(work(window[group.rank :: group.size])))
        if group.leads:
            yield from (shares[number % group.size][number // group.size] for number in range(len(window)))


def _next(windows: Iterator[Sequence[Item]], group: Group) -> Sequence[Item] | None:
    """The next window, on all processes; None after the last, and where it cannot be read, which the first tells."""
    window: Sequence[Item] | None = None
    try:
        window = next(windows, None) if group.leads else None
    finally:
        window = group.share(window)
    return window
