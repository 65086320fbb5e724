"""Words with their times, from CTC's alignment of a hypothesis."""

from collections.abc import Sequence
from itertools import accumulate

from torch import Tensor

from s2s.inference.transcripts import Word
from s2s.search import Span, align
from s2s.text.tokenizer import Tokenizer
from s2s.text.vocabulary import PAD

SPACE = "\u2581"
"""SentencePiece's mark of the start of a word."""


def align_words(
    log_probs: Tensor, tokens: Sequence[int], tokenizer: Tokenizer, start: float, step_seconds: float
) -> tuple[Word, ...]:
    """The words that tokens spell, aligned with CTC's log-probabilities (S, V), of steps of so many seconds.

    Times count from `start`; the space before a word is no part of it. A word's confidence is the mean of its tokens'.
    There are none when S is too small for the tokens.
    """
    try:
        spans = align(log_probs, tokens, PAD)
    except ValueError:
        return ()
    words: list[tuple[list[int], list[Span]]] = []
    for token, piece, span in zip(tokens, tokenizer.pieces(tokens), spans, strict=True):
        if not words or piece.startswith(SPACE):
            words.append(([], []))
        words[-1][0].append(token)
        if piece != SPACE:
            words[-1][1].append(span)
    return tuple(
        Word(
            text,
            start + step_seconds * parts[0].start,
            start + step_seconds * parts[-1].end,
            sum(span.confidence for span in parts) / len(parts),
        )
        for ids, parts in words
        if parts and (text := tokenizer.decode(ids).strip())
    )


def spread_words(text: str, start: float, end: float) -> tuple[Word, ...]:
    """The words of a text that could not be aligned, each as long as its share of the letters; of no confidence."""
    words = text.split()
    step = (end - start) / max(1, sum(map(len, words)))
    ends = [start + step * letters for letters in accumulate(map(len, words))]
    return tuple(Word(word, first, last, 0.0) for word, first, last in zip(words, [start, *ends], ends, strict=False))
