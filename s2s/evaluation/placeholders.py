"""Whether placeholders and markup survive translation: counts of those that were lost or invented."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from s2s.text.placeholders import placeholders


@dataclass(frozen=True)
class PlaceholderCounts:
    """Placeholders over a whole test set, repetitions counted; a misspelt one is lost and invented."""

    expected: int
    lost: int
    invented: int


def count_placeholders(expected: Sequence[str], hypotheses: Sequence[str]) -> PlaceholderCounts:
    """Compare each hypothesis with a text that has the right placeholders: its source or its reference."""
    total, lost, invented = 0, 0, 0
    for right, hypothesis in zip(expected, hypotheses, strict=True):
        wanted, found = Counter(placeholders(right)), Counter(placeholders(hypothesis))
        total += wanted.total()
        lost += (wanted - found).total()
        invented += (found - wanted).total()
    return PlaceholderCounts(total, lost, invented)
