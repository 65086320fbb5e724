"""The texts of Asterisk's voice prompts: which of them tell what is said, and in which words."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

from s2s.evaluation.normalisers import normaliser
from s2s.files import read_lines

NORMALISER = "words"
"""Lower case, no punctuation but apostrophes within words: the words that are compared in evaluation."""

SCRIPTS = {"ru": "CYRILLIC"}
"""The script of a language where it is not LATIN."""

_NOTE = re.compile(r"[\[(<][^\])>]*[\])>]")
_DIGIT = re.compile(r"(?<!\d)\d(?!\d)")
_READ_SEVERAL_WAYS = re.compile(r"[\d#*@&%$+=]|www\.")
_LOST_LETTER = re.compile(r"\?\s*(?=[^\W\d_])")
_ANOTHER_NAME = re.compile(r"[a-z]+(?:-[a-z0-9]+)+:\s")

Words = dict[str, str]
"""How a digit is said, by the digit."""


def read_texts(path: Path, dropped: Counter[str]) -> dict[str, str]:
    """The text of each prompt by its name in small letters, from lines such as `digits/0: zero`.

    Lines that begin with `;` are comments. A name that comes twice keeps its first text.
    """
    texts: dict[str, str] = {}
    for line in read_lines(path):
        name, colon, text = line.partition(":")
        if line.startswith(";") or not colon:
            continue
        if name.strip().lower() in texts:
            dropped["second text of a name"] += 1
        texts.setdefault(name.strip().lower(), text.strip())
    return texts


def digit_words(texts: dict[str, str]) -> Words:
    """How the digits are said, by the texts of the prompts that say them."""
    return {digit: texts[f"digits/{digit}"] for digit in "0123456789" if f"digits/{digit}" in texts}


def spoken(text: str, digits: Words) -> str:
    """The words that are said: notes in brackets go, single digits become words, see `NORMALISER` for the rest."""
    return " ".join(normaliser(NORMALISER)(_written_out(text, digits)))


def _written_out(text: str, digits: Words) -> str:
    return _DIGIT.sub(lambda match: f" {digits.get(match[0], match[0])} ", _NOTE.sub(" ", text))


def fault(text: str, language: str, digits: Words) -> str | None:
    """Why a text does not tell what is said, or None.

    A note in brackets at the end of a text is a remark, such as `IAX (note: does not say "2")`; of words in brackets
    with more words after them nobody knows whether they are said.
    """
    said = spoken(text, digits)
    rest = _NOTE.sub(" ", text)
    faults = {
        "no speech": not said,
        "words in brackets": any(
            _has_letters(note[0]) and _has_letters(text[note.end() :]) for note in _NOTE.finditer(text)
        ),
        "numbers or symbols with several readings": bool(_READ_SEVERAL_WAYS.search(_written_out(text, digits))),
        "lost letters": any(rest[match.end()].islower() for match in _LOST_LETTER.finditer(rest)),
        "two texts in one line": bool(_ANOTHER_NAME.search(text)),
        "letters of another script": any(
            letter.isalpha() and not unicodedata.name(letter, "").startswith(SCRIPTS.get(language, "LATIN"))
            for letter in said
        ),
    }
    return next((reason for reason, found in faults.items() if found), None)


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))
