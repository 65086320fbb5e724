"""The baseline: an interpolated Kneser-Ney model of n-grams, nltk's, over the subwords of a closed vocabulary.

Kneser & Ney 1995, doi:10.1109/ICASSP.1995.479394; one discount for all orders, interpolated down to the uniform
distribution as in Chen & Goodman 1999, doi:10.1006/csla.1999.0128.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib.metadata import version

from nltk.lm import Vocabulary
from nltk.lm.models import InterpolatedLanguageModel
from nltk.lm.smoothing import KneserNey

from s2s.text.vocabulary import BOS

ORDER = 5
DISCOUNTS = tuple(step / 20 for step in range(8, 20))
"""From 0.40 to 0.95."""

Words = tuple[str, ...]


class ClosedKneserNey(KneserNey):  # type: ignore[misc]  # nltk has no types
    """nltk's estimator, which counts continuations once instead of at each question, and knows a closed vocabulary.

    Its own lowest order gives no probability to what training lacks. Here that order is discounted like all others,
    and what it gives up is shared evenly by the whole vocabulary.
    """

    @cached_property
    def continuations(self) -> dict[Words, Counter[str]]:
        """After each context of fewer words than the order allows: before how many words each word ends it."""
        found: dict[Words, Counter[str]] = defaultdict(Counter)
        for order in range(2, self._order + 1):
            for context, words in self.counts[order].items():
                found[context[1:]].update(words.keys())
        return found

    @cached_property
    def totals(self) -> dict[Words, int]:
        """The sum over all words of what `continuations` holds for a context."""
        return {context: words.total() for context, words in self.continuations.items()}

    def _continuation_counts(self, word: str, context: Words = ()) -> tuple[int, int]:
        """What nltk finds by looking through all n-grams of the next order."""
        return self.continuations[context][word], self.totals[context]

    def unigram_score(self, word: str) -> float:
        """The probability of a word after nothing."""
        count, total = self._continuation_counts(word)
        taken = self.discount * len(self.continuations[()]) / total
        return float(max(count - self.discount, 0) / total + taken / self.size)

    @cached_property
    def size(self) -> int:
        """Entries of the vocabulary; the label that nltk adds for unknown words is none."""
        return len(self.vocab) - 1


class NgramModel:
    """A model of lines of ids that end with EOS, each read from its beginning."""

    def __init__(self, lines: Iterable[Sequence[int]], size: int, order: int = ORDER, discount: float = 0.75) -> None:
        self.order = order
        self._model = InterpolatedLanguageModel(
            ClosedKneserNey,
            order,
            vocabulary=Vocabulary(map(str, range(size))),
            params={"discount": discount, "order": order},
        )
        self._model.fit(self._ngrams(line) for line in lines)

    @property
    def discount(self) -> float:
        """What is taken from each count."""
        return float(self._model.estimator.discount)

    @discount.setter
    def discount(self, value: float) -> None:
        self._model.estimator.discount = value

    def describe(self) -> str:
        """What it is, for people."""
        return f"Kneser-Ney, order {self.order}, discount {self.discount:.2f}, nltk {version('nltk')}"

    def tune(self, lines: Sequence[Sequence[int]]) -> None:
        """Take the discount that foresees these lines best."""
        totals = {}
        for discount in DISCOUNTS:
            self.discount = discount
            totals[discount] = sum(self.log_probs(lines))
        self.discount = max(totals, key=totals.__getitem__)

    def log_probs(self, lines: Iterable[Sequence[int]]) -> list[float]:
        """The log-probability of each line with its end."""
        return [sum(math.log(self.probability(*pair)) for pair in self._pairs(line)) for line in lines]

    def probability(self, word: str, context: Words) -> float:
        """That of a word after those before it, as nltk tells it."""
        return float(self._model.unmasked_score(word, context))

    def _pairs(self, line: Sequence[int]) -> Iterator[tuple[str, Words]]:
        """Each word of a line with its context; before the beginning there are as many BOS as are needed."""
        before = self.order - 1
        words = [*[str(BOS)] * before, *map(str, line)]
        return ((words[place], tuple(words[place - before : place])) for place in range(before, len(words)))

    def _ngrams(self, line: Sequence[int]) -> Iterator[Words]:
        """All n-grams up to the order that end with a word of the line, and none that ends with BOS."""
        for word, context in self._pairs(line):
            yield from ((*context[start:], word) for start in range(len(context) + 1))
