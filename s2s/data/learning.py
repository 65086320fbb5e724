"""A vocabulary for a corpus, of a size that fits it."""

from collections import Counter
from collections.abc import Callable, Iterator

from s2s.log import progress, say
from s2s.text.tokenizer import (
    CHARACTER_COVERAGE,
    SentencePieceTokenizer,
    Units,
    default_vocabulary_size,
    sampled_segments,
    train_tokenizer,
)


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
    sampled = sampled_segments(segments, characters)
    tokenizer = train_tokenizer(lambda: progress(texts(), "reading", segments), units, size, default, spoken, sampled)
    say(f"{name} vocabulary: {tokenizer.size:,} {units}")
    return tokenizer


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
