"""Sequences with labels or values, held in memory: batches of them for training and validation."""

from collections.abc import Sequence
from dataclasses import dataclass

from s2s.data.batches import Batch, pad
from s2s.data.segments import MULTIPLE, Pair


@dataclass(frozen=True)
class Examples:
    """Pairs of a source, ids or features (S, F), and a target: a label or values for each step, or for the whole.

    Labels are ids, values features (T, O). `multiple` is that of the padded lengths of sources.
    """

    pairs: Sequence[Pair]
    multiple: int = MULTIPLE

    @property
    def budget(self) -> str:
        """See `Drawable`."""
        return "batch_tokens"

    def __len__(self) -> int:
        return len(self.pairs)

    def draw(self, rows: Sequence[int], epoch: int | None) -> "DrawnExamples":
        """See `Drawable`; they are the same in every epoch."""
        return DrawnExamples([self.pairs[row] for row in rows])


@dataclass(frozen=True)
class DrawnExamples:
    """See `Drawn`."""

    pairs: Sequence[Pair]

    @property
    def lengths(self) -> list[tuple[int, int]]:
        """See `Drawn`."""
        return [(len(source), len(target)) for source, target in self.pairs]

    def pair(self, position: int) -> Pair:
        """See `Drawn`."""
        return self.pairs[position]


def collate_labels(pairs: Sequence[Pair], indices: Sequence[int], multiple: int = MULTIPLE) -> Batch:
    """A batch whose targets are as they are, without BOS and EOS: labels (B, T), or values (B, T, O)."""
    source, source_lengths = pad([source for source, _ in pairs], multiple=multiple)
    target, target_lengths = pad([target for _, target in pairs], multiple=1)
    return Batch(list(indices), source, source_lengths, target, target_lengths)
