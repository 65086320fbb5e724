"""Filters that keep a training corpus free of what teaches nothing; each names itself in the counts."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field

FILTERS = ("empty", "too long", "length ratio", "copy of the source", "duplicate")

# Scripts without spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, Kana, Han.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]"
)
RATIO_SLACK = 3
"""Words that the longer side may have beyond the ratio, so that short segments are not judged by chance."""

CHARACTERS_PER_WORD = 2
"""In scripts without spaces, for the ratio of a side in such a script to one in words."""


def length(text: str) -> int:
    """Words between spaces; in scripts without spaces every character counts as one."""
    words, characters = _count(text)
    return words + characters


def _count(text: str) -> tuple[int, int]:
    """Words between spaces, and characters of scripts without spaces."""
    return len(_UNSPACED.sub(" ", text).split()), len(_UNSPACED.findall(text))


def _words(text: str) -> float:
    words, characters = _count(text)
    return words + characters / CHARACTERS_PER_WORD


@dataclass(frozen=True)
class CleaningOptions:
    """Lengths as counted by `length`; `max_ratio` is that of the longer to the shorter side."""

    max_length: int = 200
    max_ratio: float = 3.0
    keep_copies: bool = False


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
