"""A vocabulary for a corpus, of a size that fits it."""

from collections import Counter
from collections.abc import Callable, Iterator

from s2s.log import say
from s2s.text.tokenizer import (
    CHARACTER_COVERAGE,
    SentencePieceTokenizer,
    Units,
    default_vocabulary_size,
    train_tokenizer,
)


def learn_tokenizer(
    texts: Callable[[], Iterator[str]], name: str, units: Units, size: int | None, spoken: bool = False
) -> SentencePieceTokenizer:
    """The tokenizer of `texts()`, with `size` entries or as many as suit its length; see `train_tokenizer`."""
    say(f"learning the {name} vocabulary")
    default = 0
    if size is None:
        frequencies: Counter[str] = Counter()
        for text in texts():
            frequencies.update(text)
        default = default_vocabulary_size(frequencies.total(), _alphabet_size(frequencies))
    tokenizer = train_tokenizer(texts, units, size, default, spoken)
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
