"""The baseline of n-grams: nltk's mathematics, counted once, over a closed vocabulary."""

import pytest

pytest.importorskip("nltk")

from nltk.lm import KneserNeyInterpolated, Vocabulary

from recipes.language_model.ngram import DISCOUNTS, NgramModel
from s2s.text.vocabulary import BOS, EOS

A, B, C, NEVER_SEEN = 4, 5, 6, 7
SIZE = 8
LINES = [[A, B, EOS], [A, C, EOS], [A, B, B, EOS]]


def test_probabilities_of_bigrams_are_those_computed_by_hand() -> None:
    """Seven kinds of bigrams: <s>a ab ac bb b</s> c</s>, and of three after a two go on with b."""
    model = NgramModel(LINES, SIZE, order=2, discount=0.5)
    kinds = 6
    lowest = {A: 1, B: 2, C: 1, EOS: 2}
    shared = 0.5 * len(lowest) / kinds / SIZE
    unigram = {word: (count - 0.5) / kinds + shared for word, count in lowest.items()}
    after_a = 0.5 * 2 / 3
    assert model.probability(str(B), (str(A),)) == pytest.approx((2 - 0.5) / 3 + after_a * unigram[B])
    assert model.probability(str(EOS), (str(A),)) == pytest.approx(after_a * unigram[EOS])
    assert model.probability(str(NEVER_SEEN), (str(A),)) == pytest.approx(after_a * shared)


@pytest.mark.parametrize("context", [(), (A,), (BOS, A), (BOS, BOS), (A, B), (B, B), (C, A), (NEVER_SEEN, A)])
def test_probabilities_sum_to_one_over_the_vocabulary(context: tuple[int, ...]) -> None:
    """After contexts that were seen, that were not, and at the beginning of a line."""
    model = NgramModel(LINES, SIZE, order=3, discount=0.7)
    words = tuple(map(str, context))
    assert sum(model.probability(str(word), words) for word in range(SIZE)) == pytest.approx(1)


def test_only_the_lowest_order_differs_from_nltk() -> None:
    """The same n-grams in nltk's own class, whose lowest order is put in place of ours."""
    model = NgramModel(LINES, SIZE, order=3, discount=0.6)
    other = KneserNeyInterpolated(3, discount=0.6, vocabulary=Vocabulary(map(str, range(SIZE))))
    other.fit(model._ngrams(line) for line in LINES)
    other.estimator.unigram_score = lambda word: model.probability(word, ())
    pairs = [pair for line in [*LINES, [B, A, C, EOS], [NEVER_SEEN, A, EOS]] for pair in model._pairs(line)]
    for word, context in pairs:
        assert model.probability(word, context) == pytest.approx(other.unmasked_score(word, context))


def test_the_discount_is_the_best_of_those_tried() -> None:
    """And log-probabilities are of whole lines, with their ends."""
    model = NgramModel(LINES, SIZE, order=3)
    dev = [[A, B, C, EOS], [C, EOS]]
    model.tune(dev)
    best, chosen = sum(model.log_probs(dev)), model.discount
    for discount in DISCOUNTS:
        model.discount = discount
        assert sum(model.log_probs(dev)) <= best
    assert chosen in DISCOUNTS
    assert f"discount {model.discount:.2f}" in model.describe()
