"""Filters that keep a training corpus free of what teaches nothing; each names itself in the counts."""

import hashlib
import math
import re
from collections import Counter
from dataclasses import dataclass, field

from s2s.errors import UsageError

FILTERS = ("empty", "too long", "length ratio", "copy of the source", "duplicate")

# Scripts without spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, Kana, Han.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]"
)
RATIO_SLACK = 3
"""Words that the longer side may have beyond the ratio, so that short segments are not judged by chance."""

LONGEST_WORD = 20
"""Characters; what is longer counts as several words, so that a line of data without a space is not one short word."""

CHARACTERS_PER_WORD = 2
"""In scripts without spaces, for the ratio of a side in such a script to one in words."""


def length(text: str) -> int:
    """Words between spaces, those of more than 20 characters as several; in scripts without spaces, characters."""
    words, characters = _count(text)
    return words + characters


def _count(text: str) -> tuple[int, int]:
    """Words between spaces, and characters of scripts without spaces."""
    spaced, characters = (text, 0) if text.isascii() else _UNSPACED.subn(" ", text)
    return sum(-(-len(word) // LONGEST_WORD) for word in spaced.split()), characters


def _words(text: str) -> float:
    words, characters = _count(text)
    return words + characters / CHARACTERS_PER_WORD


@dataclass(frozen=True)
class CleaningOptions:
    """`max_length` of a side as counted by `length`; `max_ratio` of the longer to the shorter side in words."""

    max_length: int = 200
    max_ratio: float = 3.0
    keep_copies: bool = False

    def __post_init__(self) -> None:
        """UsageError for a ratio that is no number."""
        if not 1 <= self.max_ratio < math.inf:
            raise UsageError(
                f"The ratio of lengths must be a number of 1 or more (it is {self.max_ratio}); 1000 lets all pass."
            )


@dataclass
class Cleaner:
    """Decides on one pair after another; of a pair that came before it remembers eight bytes."""

    options: CleaningOptions
    taken: Counter[str] = field(default_factory=Counter)
    _seen: set[bytes] = field(default_factory=set)

    def keeps(self, source: str, target: str) -> bool:
        """Whether the pair stays; otherwise the filter that took it is counted."""
        reason = self._reason(source.strip(), target.strip())
        if reason is not None:
            self.taken[reason] += 1
        return reason is None

    def _reason(self, source: str, target: str) -> str | None:
        if not source or not target:
            return "empty"
        if max(length(source), length(target)) > self.options.max_length:
            return "too long"
        longer, shorter = sorted((_words(source), _words(target)), reverse=True)
        if longer > self.options.max_ratio * shorter + RATIO_SLACK:
            return "length ratio"
        if source == target and not self.options.keep_copies:
            return "copy of the source"
        key = hashlib.blake2b(f"{source}\n{target}".encode(), digest_size=8).digest()
        if key in self._seen:
            return "duplicate"
        self._seen.add(key)
        return None
