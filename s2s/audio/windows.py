"""A long recording in windows that a model can take, cut where it is quietest; nothing is lost or comes twice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import torch
from torch import Tensor
from torch.nn import functional

from s2s.audio.reading import Source, blocks
from s2s.audio.resampling import resample

BLOCK = 60.0
"""Seconds that are read at once."""

QUIET_SPAN = 0.2
"""Seconds over which loudness is measured where a cut is looked for."""

EARLIEST = 0.5
"""The share of a window that is kept at least before a cut."""


@dataclass(frozen=True)
class Window:
    """Samples (N,) of a recording from `start` to `end` in seconds."""

    start: float
    end: float
    samples: Tensor


def windows(source: Source, rate: int, longest: float) -> Iterator[Window]:
    """The windows of a recording, of at most `longest` seconds, at `rate` Hz; no more than a block is in memory.

    Each is resampled by itself, as an utterance is in training.

    AudioError: the recording cannot be read, or not to its end; see `s2s.audio.reading`.
    """
    recordings = blocks(source, max(BLOCK, 2 * longest))
    for first in islice(recordings, 1):
        pieces = (recording.samples for recording in chain([first], recordings))
        for window in cut_windows(pieces, first.rate, longest):
            yield Window(window.start, window.end, resample(window.samples, first.rate, rate))


def cut_windows(pieces: Iterable[Tensor], rate: int, longest: float) -> Iterator[Window]:
    """The windows of samples that come in pieces (N,)."""
    most = round(longest * rate)
    start, left = 0, torch.empty(0)
    for piece in pieces:
        left = torch.cat([left, piece])
        while len(left) > most:
            cut = quietest(left[:most], rate)
            yield Window(start / rate, (start + cut) / rate, left[:cut])
            start, left = start + cut, left[cut:]
    if len(left):
        yield Window(start / rate, (start + len(left)) / rate, left)


def quietest(samples: Tensor, rate: int) -> int:
    """Where in the later part of samples (N,) it is quietest: the middle of the span with the least energy."""
    first = round(EARLIEST * len(samples))
    span = min(max(1, round(QUIET_SPAN * rate)), len(samples) - first)
    sums = functional.pad(samples[first:].double().square().cumsum(0), (1, 0))
    return first + int((sums[span:] - sums[:-span]).argmin()) + span // 2
