"""Batches under a budget, of segments of like length, in an order that is a function of (seed, epoch) alone."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor

from s2s.data.segments import MULTIPLE, Drawable, Drawn, Pair, Source
from s2s.hardware import one_thread
from s2s.log import warn
from s2s.rng import generator
from s2s.text.vocabulary import BOS, EOS, PAD

WINDOW = 32_768
"""Segments that are shuffled, drawn and sorted into batches at once, whatever the size of the corpus."""

STEPS = 32
"""So many multiples are padded lengths as they are; beyond, each doubling of the length has half as many."""


@dataclass(frozen=True)
class Batch:
    """Segments side by side, with the rows of the part that they come from.

    `source` (B, S) of ids ends with EOS, or it is (B, S, F) of features; `target` (B, T + 1) begins with BOS and ends
    with EOS, so that inputs are `target[:, :-1]` and labels `target[:, 1:]`; both hold PAD or zeros beyond
    `source_lengths` (B) and `target_lengths` (B), which counts labels. Labels that are no tokens have neither BOS nor
    EOS: `target` is (B, T), or (B, T, O) of values. `continues` tells that each row goes on where
    the same row of the batch before it ended.
    """

    indices: list[int]
    source: Tensor
    source_lengths: Tensor
    target: Tensor
    target_lengths: Tensor
    continues: bool = field(default=False, kw_only=True)

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All but the rows, in their order."""
        return self.source, self.source_lengths, self.target, self.target_lengths

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        moved = (tensor.to(device, non_blocking=True) for tensor in self.tensors())
        return Batch(self.indices, *moved, continues=self.continues)


EMPTY = Batch([], *[torch.zeros(0, dtype=torch.long)] * 4)
"""The share of a process for which a batch has too few segments."""


def round_up(length: int, multiple: int = MULTIPLE) -> int:
    """The padded length of a segment: a multiple of `multiple`, and for long ones a coarser one, 6 % more at most.

    oneDNN makes and keeps primitives for each shape that it meets, which takes it time and memory.
    """
    steps = -(-length // multiple)
    coarser = 1 << max(0, (steps - 1).bit_length() - STEPS.bit_length() + 1)
    return -(-steps // coarser) * coarser * multiple


def pad(rows: Sequence[Source], extra: int = 0, multiple: int = MULTIPLE) -> tuple[Tensor, Tensor]:
    """Rows of ids or features as one tensor (B, S, ...), S rounded up plus `extra` columns, and their lengths (B)."""
    width = round_up(max(map(len, rows)) - extra, multiple) + extra
    if isinstance(rows[0], Tensor):
        padded = rows[0].new_zeros(len(rows), width, *rows[0].shape[1:])
        for number, row in enumerate(rows):
            padded[number, : len(row)] = torch.as_tensor(row)
    else:
        padded = torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])
    return padded, torch.tensor([len(row) for row in rows])


Collate = Callable[[Sequence[Pair], Sequence[int], int], Batch]
"""Makes a batch of pairs, which are those of the given rows, with sources padded to a multiple of a length."""


def collate(pairs: Sequence[Pair], indices: Sequence[int], multiple: int = MULTIPLE) -> Batch:
    """A batch of pairs of a source and target ids, which are those of the given rows."""
    source, source_lengths = pad([source for source, _ in pairs], multiple=multiple)
    target, target_lengths = pad([[BOS, *target, EOS] for _, target in pairs], extra=1)
    return Batch(list(indices), source, source_lengths, target, target_lengths - 1)


def pair_cost(source_length: int, target_length: int, multiple: int = MULTIPLE) -> int:
    """What a pair costs of the budget: its longer side, padded, with the target's EOS."""
    return round_up(max(source_length, target_length + 1), multiple)


def fill(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Positions, in their order, cut into batches of which each costs at most `budget` with its padding.

    A segment that alone costs more is a batch of its own. For full batches the order should be one by length.
    """
    batches: list[list[int]] = []
    widest = 0
    for position in order:
        widest = max(widest, lengths[position])
        if batches and widest * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(position)
        else:
            batches.append([position])
            widest = lengths[position]
    return batches


class EpochSource(Protocol):
    """Where the batches of training come from."""

    def __len__(self) -> int:
        """Rows of all batches of an epoch, over all processes."""

    def epoch(self, epoch: int, skip: int = 0, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """The batches of an epoch (from 0) without the first `skip`; of these every `workers`-th, from `worker` on."""

    def count(self) -> int:
        """How many batches an epoch has, about."""


class TrainingBatches:
    """The batches of each epoch over a training part, in random order; `shortest_first` sorts those of the first.

    Of each batch a process gets every `ranks`-th segment, from number `rank` on, which may be none.
    """

    def __init__(
        self,
        segments: Drawable,
        budget: int,
        seed: int,
        shortest_first: bool = False,
        rank: int = 0,
        ranks: int = 1,
        collation: Collate | None = None,
    ) -> None:
        self.segments = segments
        self.budget = budget
        self.seed = seed
        self.shortest_first = shortest_first
        self.rank = rank
        self.ranks = ranks
        self.collate = collation or collate
        self._warned = False

    def __len__(self) -> int:
        return len(self.segments)

    def epoch(self, epoch: int, skip: int = 0, worker: int = 0, workers: int = 1) -> Iterator[Batch]:
        """The batches of an epoch (from 0) without the first `skip`; each segment comes once, on one process.

        Of these batches only every `workers`-th, from number `worker` on, is made. By one thread, since the last digits
        of features depend on the number of threads.
        """
        self._warned |= worker > 0  # the first tells
        for drawn, rows, share in islice(self._plan(epoch, skip), worker, None, workers):
            with one_thread():
                batch = _batch(drawn, rows, share, self.segments.multiple, self.collate) if share else EMPTY
            yield batch

    def _plan(self, epoch: int, skip: int) -> Iterator[tuple[Drawn, list[int], list[int]]]:
        """For each batch what was drawn with it, the rows of that, and the positions that this process gets."""
        draw = generator(self.seed, "order", epoch)
        order = torch.randperm(len(self.segments), generator=draw)
        for start in range(0, len(order), WINDOW):
            rows = order[start : start + WINDOW].tolist()
            drawn = self.segments.draw(rows, epoch)
            batches = self._cut(drawn)
            shuffled = torch.randperm(len(batches), generator=draw).tolist()
            if self.shortest_first and epoch == 0:
                shuffled.sort()
            for number in shuffled[skip:]:
                yield drawn, rows, batches[number][self.rank :: self.ranks]
            skip = max(0, skip - len(batches))

    def count(self) -> int:
        """How many batches an epoch has, about: as many as the first window of the part as it lies says."""
        rows = range(min(WINDOW, len(self.segments)))
        return math.ceil(len(self._cut(self.segments.draw(rows, 0))) * len(self.segments) / len(rows))

    def _cut(self, drawn: Drawn) -> list[list[int]]:
        """Batches of pairs of like length on both sides, as positions among the drawn, shortest first."""
        costs = _costs(drawn, self.segments.multiple)
        lengths = [(round_up(s, self.segments.multiple), round_up(t + 1)) for s, t in drawn.lengths]
        by_length = sorted(range(len(costs)), key=lambda n: (costs[n], *lengths[n]))
        if costs[by_length[-1]] > self.budget and not self._warned:
            self._warned = True
            warn(
                f"there are segments that cost more ({costs[by_length[-1]]:,}) than training.{self.segments.budget} "
                f"({self.budget:,}) allows; each of them is a batch of its own."
            )
        return fill(by_length, costs, self.budget)


def validation_batches(
    segments: Drawable, budget: int, rank: int = 0, ranks: int = 1, collation: Collate | None = None
) -> Iterator[Batch]:
    """A part in batches of like length, as it is; `indices` tell where each segment belongs.

    A process gets every `ranks`-th batch, from number `rank` on.
    """
    rows = range(len(segments))
    drawn = segments.draw(rows, None)
    costs = _costs(drawn, segments.multiple)
    for chosen in fill(sorted(rows, key=costs.__getitem__), costs, budget)[rank::ranks]:
        yield _batch(drawn, rows, chosen, segments.multiple, collation or collate)


def _costs(drawn: Drawn, multiple: int) -> list[int]:
    return [pair_cost(source, target, multiple) for source, target in drawn.lengths]


def _batch(drawn: Drawn, rows: Sequence[int], chosen: Sequence[int], multiple: int, collation: Collate) -> Batch:
    return collation([drawn.pair(n) for n in chosen], [rows[n] for n in chosen], multiple)
