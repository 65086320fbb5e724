"""What counts as a word: named ways to split a transcript before it is compared with another."""

import unicodedata
from collections.abc import Callable

from s2s.errors import UsageError

Normaliser = Callable[[str], list[str]]
"""The words of a text, none of them empty or with white space in it."""

_APOSTROPHES = {ord(mark): "'" for mark in "\u2019\u02bc\uff07"}


def normaliser(name: str) -> Normaliser:
    """The normaliser called `name`; UsageError lists the names when there is none.

    - `none`: what stands between white space is a word, as it is;
    - `lower`: the same of the case-folded text (ß is ss);
    - `words`: case-folded, in Unicode's normal form NFKC, and punctuation (categories P of Unicode) divides words, but
      not an apostrophe within a word, straight or curved: `Don't stop-and-go!` is `don't stop and go`.
    """
    if name not in NORMALISERS:
        raise UsageError(f"There is no normaliser {name!r}: choose from {', '.join(NORMALISERS)}.")
    return NORMALISERS[name]


def _lower(text: str) -> list[str]:
    return text.casefold().split()


def _words(text: str) -> list[str]:
    """Folding can undo a normal form, and the normal form can undo folding: twice is enough for every character."""
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    divided = text.translate(_APOSTROPHES).translate(_PUNCTUATION).split()
    return [word for word in (piece.strip("'") for piece in divided) if word]


class _Punctuation(dict[int, str]):
    """A table for `str.translate` that makes spaces of punctuation and is filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        keep = character == "'" or not unicodedata.category(character).startswith("P")
        self[code] = character if keep else " "
        return self[code]


_PUNCTUATION = _Punctuation()

NORMALISERS: dict[str, Normaliser] = {"none": str.split, "lower": _lower, "words": _words}
