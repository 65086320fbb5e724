"""One small corpus and its tokenizers, learned once."""

import random
from functools import cache

import pytest

from s2s.text.tokenizer import SentencePieceTokenizer, Units, train_tokenizer

SYLLABLES = [
    "ga",
    "rten",
    "hun",
    "d",
    "schö",
    "n",
    "ki",
    "nder",
    "was",
    "ser",
    "grü",
    "pla",
    "tz",
    "feu",
    "er",
    "straß",
    "e",
    "lich",
]


def corpus(seed: int = 1, count: int = 600) -> list[str]:
    """Lines of made-up words, of which some are frequent and share their parts with others."""
    words = random.Random(0)
    known = ["".join(words.choices(SYLLABLES, k=words.randint(1, 4))) for _ in range(300)]
    draw = random.Random(seed)
    return [
        " ".join(known[int(300 * draw.random() ** 2)] for _ in range(draw.randint(2, 9))) + draw.choice(".!?")
        for _ in range(count)
    ]


@cache
def learned(units: Units) -> SentencePieceTokenizer:
    """A tokenizer of the corpus."""
    return train_tokenizer(corpus, units, None, 400)


@pytest.fixture
def lines() -> list[str]:
    """Lines that no tokenizer was learned from, some with characters that it never saw."""
    return [
        *corpus(seed=2, count=50),
        "Zug 日本 🙂 é\u0303",
        "tab\there\u00a0there",
        "\u2028",
        "<s> <unk> <0x41> \u2047",
    ]


@pytest.fixture
def unigram() -> SentencePieceTokenizer:
    """Unigram subwords."""
    return learned("unigram")


@pytest.fixture(params=["unigram", "bpe", "characters"])
def tokenizer(request: pytest.FixtureRequest) -> SentencePieceTokenizer:
    """Each kind of units in turn."""
    return learned(request.param)
