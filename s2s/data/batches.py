"""Batches under a token budget, of segments of like length, in an order that is a function of (seed, epoch) alone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from s2s.data.prepared import Split
from s2s.log import warn
from s2s.rng import generator, python_random
from s2s.text.tokenizers import PairSampler
from s2s.text.vocabulary import BOS, EOS, PAD

MULTIPLE = 4
"""Padded lengths are multiples of it, since oneDNN keeps a primitive for each shape that it meets."""

WINDOW = 32_768
"""Segments that are shuffled, drawn and sorted into batches at once, whatever the size of the corpus."""

Pair = tuple[list[int], list[int]]


@dataclass(frozen=True)
class Batch:
    """Segments side by side, with the rows of the split that they come from.

    `source` (B, S) ends with EOS; `target` (B, T + 1) begins with BOS and ends with EOS, so that inputs are
    `target[:, :-1]` and labels `target[:, 1:]`; both hold PAD beyond `source_lengths` (B) and `target_lengths` (B),
    which counts labels.
    """

    indices: list[int]
    source: Tensor
    source_lengths: Tensor
    target: Tensor
    target_lengths: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        names = ("source", "source_lengths", "target", "target_lengths")
        return replace(self, **{name: getattr(self, name).to(device, non_blocking=True) for name in names})


def round_up(length: int) -> int:
    """The padded length of a segment."""
    return -(-length // MULTIPLE) * MULTIPLE


def pad(rows: Sequence[Sequence[int]], extra: int = 0) -> tuple[Tensor, Tensor]:
    """Rows of ids as a tensor (B, S) with S rounded up, plus `extra` columns, and their lengths (B)."""
    width = round_up(max(map(len, rows)) - extra) + extra
    padded = torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])
    return padded, torch.tensor([len(row) for row in rows])


def collate(pairs: Sequence[Pair], indices: Sequence[int]) -> Batch:
    """A batch of pairs of ids, which are those of the given rows."""
    source, source_lengths = pad([source for source, _ in pairs])
    target, target_lengths = pad([[BOS, *target, EOS] for _, target in pairs], extra=1)
    return Batch(list(indices), source, source_lengths, target, target_lengths - 1)


def pair_length(pair: Pair) -> int:
    """What a pair costs of the budget: its longer side, padded, with the target's EOS."""
    return round_up(max(len(pair[0]), len(pair[1]) + 1))


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


class TrainingBatches:
    """The batches of each epoch over a training part; with a sampler, subwords are drawn anew in every epoch."""

    def __init__(self, split: Split, batch_tokens: int, seed: int, sampler: PairSampler | None = None) -> None:
        self.split = split
        self.batch_tokens = batch_tokens
        self.seed = seed
        self.sampler = sampler
        self._warned = False

    def epoch(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch (from 0) without the first `skip`; each segment comes once."""
        draw = generator(self.seed, "order", epoch)
        order = torch.randperm(len(self.split), generator=draw)
        for start in range(0, len(order), WINDOW):
            rows = order[start : start + WINDOW].tolist()
            pairs = self._draw(rows, epoch)
            batches = self._cut(pairs)
            shuffled = torch.randperm(len(batches), generator=draw).tolist()
            for number in shuffled[skip:]:
                chosen = batches[number]
                yield collate([pairs[n] for n in chosen], [rows[n] for n in chosen])
            skip = max(0, skip - len(batches))

    def count(self) -> int:
        """How many batches an epoch has, about: as many as the first window of the split as it lies says."""
        rows = range(min(WINDOW, len(self.split)))
        return math.ceil(len(self._cut(self._draw(rows, 0))) * len(self.split) / len(rows))

    def _cut(self, pairs: list[Pair]) -> list[list[int]]:
        """Batches of pairs of like length, as positions in the list."""
        lengths = [pair_length(pair) for pair in pairs]
        by_length = sorted(range(len(pairs)), key=lambda n: (lengths[n], round_up(len(pairs[n][0]))))
        if lengths[by_length[-1]] > self.batch_tokens and not self._warned:
            self._warned = True
            warn(
                f"there are segments of more tokens ({lengths[by_length[-1]]:,}) than training.batch_tokens "
                f"({self.batch_tokens:,}); each of them is a batch of its own."
            )
        return fill(by_length, lengths, self.batch_tokens)

    def _draw(self, rows: Sequence[int], epoch: int) -> list[Pair]:
        if self.sampler is None:
            return self.split.tokens(rows)
        texts = zip(rows, self.split.texts(rows), strict=True)
        return [self.sampler(*pair, python_random(self.seed, "subwords", epoch, row)) for row, pair in texts]


def validation_batches(split: Split, batch_tokens: int) -> Iterator[Batch]:
    """A part in batches of like length, without sampling; `indices` tell where each segment belongs."""
    pairs = split.tokens(range(len(split)))
    lengths = [pair_length(pair) for pair in pairs]
    for chosen in fill(sorted(range(len(pairs)), key=lengths.__getitem__), lengths, batch_tokens):
        yield collate([pairs[n] for n in chosen], chosen)
