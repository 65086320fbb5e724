"""A vocabulary for a corpus, of a size that fits it."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from s2s.log import progress, say
from s2s.text.tokenizer import (
    CHARACTER_COVERAGE,
    MAX_SEGMENTS,
    SentencePieceTokenizer,
    Units,
    default_vocabulary_size,
    train_tokenizer,
)

MAX_CHARACTERS = 40_000_000
"""A vocabulary is learned from at most so many, drawn from the whole corpus: SentencePiece takes 20 bytes for each."""


def learn_tokenizer(
    texts: Callable[[], Iterator[str]], name: str, units: Units, size: int | None, spoken: bool = False
) -> SentencePieceTokenizer:
    """The tokenizer of `texts()`, with `size` entries or as many as suit its length; see `train_tokenizer`."""
    say(f"learning the {name} vocabulary")
    frequencies: Counter[str] = Counter()
    segments = 0
    for text in progress(texts(), "counting characters"):
        frequencies.update(text)
        segments += 1
    characters = frequencies.total()
    default = default_vocabulary_size(characters, _alphabet_size(frequencies)) if size is None else 0
    tokenizer = train_tokenizer(
        lambda: draw(progress(texts(), "reading", segments), segments, sample_size(segments, characters)),
        units,
        size,
        default,
        spoken,
    )
    say(f"{name} vocabulary: {tokenizer.size:,} {units}")
    return tokenizer


def sample_size(segments: int, characters: int) -> int:
    """How many segments of a corpus a tokenizer should learn from."""
    return min(segments, MAX_SEGMENTS, math.ceil(MAX_CHARACTERS * segments / max(1, characters)))


def draw(texts: Iterable[str], count: int, wanted: int) -> Iterator[str]:
    """So many of `count` texts, each with the same probability, in their order, and the same ones each time."""
    chance = random.Random(1)
    for left, text in zip(range(count, 0, -1), texts, strict=False):
        if chance.random() * left < wanted:
            wanted -= 1
            yield text


def _alphabet_size(frequencies: Counter[str]) -> int:
    """How many of the most frequent characters make up the share of the text that has entries of its own."""
    allowed = CHARACTER_COVERAGE * frequencies.total()
    size = 0
    for _, count in frequencies.most_common():
        if allowed <= 0:
            break
        allowed -= count
        size += 1
    return size
