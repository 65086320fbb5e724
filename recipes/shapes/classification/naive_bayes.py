"""A naive Bayes classifier of texts by the characters that stand side by side in them."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

ADDED = (1.0, 0.1, 0.01)
"""What is tried on dev: the number that is added to each count."""

Labelled = Sequence[tuple[str, int]]
"""Texts with the number of their class."""


class NaiveBayes:
    """Multinomial, over all sequences of 1 to `longest` characters of a text between spaces, `added` to each count."""

    def __init__(self, train: Labelled, longest: int, added: float = ADDED[0]) -> None:
        self.longest, self.added = longest, added
        self._counts: dict[int, Counter[str]] = defaultdict(Counter)
        for text, label in train:
            self._counts[label].update(self._pieces(text))
        self._totals = {label: counts.total() for label, counts in self._counts.items()}
        self._known = len(set().union(*self._counts.values()))
        texts = Counter(label for _, label in train)
        self._priors = {label: math.log(count / len(train)) for label, count in texts.items()}

    def label(self, text: str) -> int:
        """The likeliest label of a text."""
        pieces = list(self._pieces(text))
        scores = {label: self._score(label, pieces) for label in self._priors}
        return max(sorted(scores), key=scores.__getitem__)

    def right(self, texts: Labelled) -> int:
        """How many texts get their label."""
        return sum(self.label(text) == label for text, label in texts)

    def _score(self, label: int, found: Sequence[str]) -> float:
        counts = self._counts[label]
        total = math.log(self._totals[label] + self.added * self._known)
        return self._priors[label] + sum(math.log(counts[piece] + self.added) - total for piece in found)

    def _pieces(self, text: str) -> Iterator[str]:
        for length in range(1, self.longest + 1):
            yield from pieces(text, length)


def tuned(train: Labelled, dev: Labelled, longest: int) -> NaiveBayes:
    """The classifier that finds most labels of dev, of all that are tried; the first of several."""
    bayes, right = NaiveBayes(train, longest), []
    for bayes.added in ADDED:
        right.append(bayes.right(dev))
    bayes.added = ADDED[right.index(max(right))]
    return bayes


def pieces(text: str, length: int) -> list[str]:
    """All sequences of so many characters in a text between spaces, which overlap."""
    padded = f" {text} "
    return [padded[start : start + length] for start in range(len(padded) - length + 1)]
