"""Perplexity: how many equally likely units a language model hesitates between, on average."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import s2s


@dataclass(frozen=True)
class Perplexity:
    """A perplexity with the unit that it is counted per, and a signature that tells how."""

    unit: str
    value: float
    count: int
    signature: str


def perplexities(lines: Iterable[tuple[str, int, float]], context: str, tokenizer: str) -> list[Perplexity]:
    """Per token, word and character, of lines with their tokens without end, and their log-probabilities with it.

    The end of a line counts as a unit each time. Words are what stands between white space. What costs nothing must not
    count: several spaces in a row are one, and a placeholder is one character. `context` and `tokenizer`
    go into the signatures. The total is the same for every unit, so that models with other tokens can be compared
    per word or character. Of what is impossible it is infinite; where a log-probability is NaN, so is it.
    """
    counts = {"token": 0, "word": 0, "character": 0}
    total = 0.0
    for text, tokens, log_prob in lines:
        total += log_prob
        for unit, count in (("token", tokens), ("word", len(text.split())), ("character", len(text))):
            counts[unit] += count + 1
    how = f"ends:counted|spaces:single|placeholders:one|context:{context}|tok:{tokenizer}|version:{s2s.__version__}"
    return [
        Perplexity(unit, _power(-total / count) if count else math.nan, count, f"per:{unit}|{how}")
        for unit, count in counts.items()
    ]


def _power(mean: float) -> float:
    return math.inf if mean >= 700 else math.exp(mean)
