"""A naive Bayes classifier of texts by the characters that stand side by side in them."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

LONGEST = 3


class NaiveBayes:
    """Multinomial, with add-one smoothing, over all sequences of 1 to 3 characters of a text between spaces."""

    def __init__(self, texts: Sequence[str], labels: Sequence[int]) -> None:
        self.counts: dict[int, Counter[str]] = defaultdict(Counter)
        for text, label in zip(texts, labels, strict=True):
            self.counts[label].update(_pieces(text))
        known = len(set().union(*self.counts.values()))
        self.totals = {label: counts.total() + known for label, counts in self.counts.items()}
        self.priors = {label: math.log(count / len(labels)) for label, count in Counter(labels).items()}

    def label(self, text: str) -> int:
        """The likeliest label of a text."""
        pieces = list(_pieces(text))
        scores = {label: self._score(label, pieces) for label in self.priors}
        return max(sorted(scores), key=scores.__getitem__)

    def _score(self, label: int, pieces: Sequence[str]) -> float:
        counts, total = self.counts[label], self.totals[label]
        return self.priors[label] + sum(math.log((counts[piece] + 1) / total) for piece in pieces)


def _pieces(text: str) -> Iterator[str]:
    padded = f" {text} "
    for length in range(1, LONGEST + 1):
        yield from (padded[start : start + length] for start in range(len(padded) - length + 1))
