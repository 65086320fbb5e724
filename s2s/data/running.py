"""Batches of running text: rows that each go on where they ended, for truncated back-propagation through time."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch

from s2s.data.batches import Batch
from s2s.data.monolingual import MonolingualSegments
from s2s.rng import generator


class RunningText:
    """The tokens of a part, one line after the other, mapped into memory and never held there."""

    def __init__(self, segments: MonolingualSegments) -> None:
        self._chunks = segments.table.data.column("target_ids").chunks
        self._parts = [chunk.flatten() for chunk in self._chunks]
        self._starts = np.cumsum([0, *map(len, self._parts)])
        self._rows = np.cumsum([0, *map(len, self._chunks)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, start: int, stop: int) -> torch.Tensor:
        """The tokens from `start` to `stop`, of a text that begins anew after its end."""
        pieces = []
        while start < stop:
            number, within = self._place(start)
            count = min(stop - start, len(self._parts[number]) - within)
            pieces.append(self._parts[number].slice(within, count).to_numpy())
            start += count
        return torch.from_numpy(np.concatenate(pieces).astype(np.int64))

    def row(self, token: int) -> int:
        """The line, as a row of the part, that the token of a number stands in."""
        number, within = self._place(token)
        offsets = self._chunks[number].offsets.to_numpy()
        return int(self._rows[number] + np.searchsorted(offsets, offsets[0] + within, side="right")) - 1

    def _place(self, token: int) -> tuple[int, int]:
        """The part that holds the token of a number, and where in it."""
        place = token % len(self)
        number = int(np.searchsorted(self._starts, place, side="right")) - 1
        return number, place - int(self._starts[number])


class RunningBatches:
    """A text cut into rows of equal length, which are read side by side in windows of `steps` tokens (T), one a batch.

    An epoch begins at a place of its own in the text, and comes round to it. What is left over once the text is cut
    into equal rows, fewer tokens than there are rows, is not read in that epoch. A process gets every `ranks`-th row,
    from number `rank` on. In its first batch the states of all rows begin anew. The `indices` of a batch are the lines
    of the part that its windows begin in.
    """

    def __init__(
        self, segments: MonolingualSegments, budget: int, steps: int, seed: int, rank: int = 0, ranks: int = 1
    ) -> None:
        self.text = RunningText(segments)
        self.steps = steps
        self.seed = seed
        self.rows = max(1, min(budget // steps, len(self.text) // steps))
        self.length = len(self.text) // self.rows
        self.chosen = range(rank, self.rows, ranks)

    def __len__(self) -> int:
        return self.rows * self.count()

    def count(self) -> int:
        """How many batches an epoch has."""
        return -(-self.length // self.steps)

    def epoch(self, epoch: int, skip: int = 0, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """See `EpochSource`."""
        place = generator(self.seed, "order", epoch)
        first = int(torch.randint(len(self.text), (1,), generator=place))
        for number in islice(range(skip, self.count()), worker, None, workers):
            yield self.batch(first, number)

    def batch(self, first: int, number: int) -> Batch:
        """The batch of a number, where the text begins at its token `first`."""
        start = number * self.steps
        stop = min(start + self.steps, self.length)
        begins = [first + len(self.text) + row * self.length + start for row in self.chosen]
        windows = [self.text.read(begin - 1, begin + stop - start) for begin in begins]
        target = torch.stack(windows) if windows else torch.zeros(0, 2, dtype=torch.long)
        lengths = torch.full((len(target),), stop - start)
        none = target.new_zeros(len(target), 0)
        indices = [self.text.row(begin) for begin in begins]
        return Batch(indices, none, torch.zeros_like(lengths), target, lengths, continues=number > 0)
