"""Two files whose lines belong together."""

from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path

from s2s.errors import DataError
from s2s.files import open_unpacked
from s2s.inference.lines import WINDOW, Counts, count_lines, read_texts

Pair = tuple[str, str]


def read_pairs(source: Path, target: Path, counts: Counts) -> Iterator[list[Pair]]:
    """The pairs of lines, window by window.

    DataError: one file has more lines than the other, told before the first window unless one of them is a pipe.
    """
    lengths = count_lines([source]), count_lines([target])
    if None not in lengths and lengths[0] != lengths[1]:
        raise DataError(f"{source} has {lengths[0]:,} lines but {target} has {lengths[1]:,}. Nothing was scored.")
    pairs = _pairs(source, target, counts)
    while window := list(islice(pairs, WINDOW)):
        yield window


def _pairs(source: Path, target: Path, counts: Counts) -> Iterator[Pair]:
    lines = zip_longest(_lines(source, counts), _lines(target, counts))
    for number, (one, other) in enumerate(lines, start=1):
        if one is None or other is None:
            short, long = (source, target) if one is None else (target, source)
            raise DataError(f"{short} ends after line {number - 1:,}, but {long} goes on. All before that was scored.")
        yield one, other


def _lines(path: Path, counts: Counts) -> Iterator[str]:
    with open_unpacked(path) as stream:
        for window in read_texts([stream], counts):
            yield from window
