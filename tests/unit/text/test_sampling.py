"""Sampled subwords: exact probabilities, the same text, the caller's random numbers only."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.errors import ConfigError
from s2s.text.placeholders import SYMBOLS
from s2s.text.sampling import SubwordSampler
from s2s.text.tokenizer import SentencePieceTokenizer
from tests.unit.text.conftest import learned


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_a_segmentation_is_drawn_with_its_probability(unigram: SentencePieceTokenizer, alpha: float) -> None:
    """Against SentencePiece's own list of all segmentations (Kudo 2018, section 3.2: P(x) ** alpha, renormalised)."""
    word = "wasserlichäfeuer"  # the ä is unknown to the model, and spelt in bytes
    candidates = unigram.processor.nbest_encode(word, nbest_size=512)
    assert 4 < len(candidates) < 512
    known = [[number for number in ids if not unigram.processor.is_byte(number)] for ids in candidates]
    weights = [math.exp(alpha * sum(map(unigram.processor.get_score, ids))) for ids in known]
    expected = {tuple(ids): weight / sum(weights) for ids, weight in zip(candidates, weights, strict=True)}
    draws = 40_000
    draw = random.Random(1)
    sampler = SubwordSampler(unigram, alpha)
    found = Counter(tuple(sampler.sample(word, draw)) for _ in range(draws))
    assert set(found) <= set(expected)
    for ids, probability in expected.items():
        assert abs(found[ids] / draws - probability) < 4.5 * math.sqrt(probability * (1 - probability) / draws) + 1e-4


def test_with_a_large_alpha_the_best_segmentation_is_drawn(unigram: SentencePieceTokenizer, lines: list[str]) -> None:
    sampler = SubwordSampler(unigram, 1000.0)
    for line in [*lines, f"{SYMBOLS[0]}haus {SYMBOLS[3]}, <b>", " spaces  between "]:
        assert sampler.sample(line, random.Random(1)) == unigram.encode(line)


@given(st.text(st.sampled_from("hausgrtenö .\t日\x00" + SYMBOLS[0]), max_size=20), st.integers(0, 99))
def test_whatever_is_drawn_is_the_same_text(text: str, seed: int) -> None:
    unigram = learned("unigram")
    ids = SubwordSampler(unigram, 0.1).sample(text, random.Random(seed))
    assert unigram.decode(ids) == unigram.decode(unigram.encode(text))


def test_draws_differ_and_are_those_of_the_generator_alone(unigram: SentencePieceTokenizer) -> None:
    text = "wasserlichfeuer feuerlicher hundschön"
    warm = SubwordSampler(unigram, 0.2)
    first = [warm.sample(text, random.Random(seed)) for seed in range(20)]
    assert len({tuple(ids) for ids in first}) > 5
    cold = SubwordSampler(unigram, 0.2)
    cold.sample("other words came before", random.Random(1))
    assert [cold.sample(text, random.Random(seed)) for seed in range(20)] == first


def test_a_full_cache_changes_nothing(unigram: SentencePieceTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["hunden haus", "garten hunden", "haus feuer"]
    roomy = [SubwordSampler(unigram, 0.2).sample(text, random.Random(7)) for text in texts]
    monkeypatch.setattr("s2s.text.sampling.CACHED_WORDS", 1)
    narrow = SubwordSampler(unigram, 0.2)
    assert [narrow.sample(text, random.Random(7)) for text in texts] == roomy


def test_a_very_long_word_is_no_trouble(unigram: SentencePieceTokenizer) -> None:
    word = "haus" * 5000
    assert unigram.decode(SubwordSampler(unigram, 0.2).sample(word, random.Random(1))) == word


@pytest.mark.parametrize("units", ["bpe", "characters"])
def test_other_units_cannot_be_sampled(units: str) -> None:
    with pytest.raises(ConfigError, match=r"subword_sampling needs unigram subwords"):
        SubwordSampler(learned(units), 0.2)
