"""Placeholders in braces and simple markup become one symbol each before tokenizing, and come back afterwards.

`Hello {name}, <b>welcome</b>` is masked to `Hello \\ue000, \\ue001welcome\\ue002`. The symbols are private-use
characters, numbered in the order of the source; equal placeholders get equal symbols. A private-use character that
stands in the text itself is masked like a placeholder, so that it can never be taken for a mask; so is U+2581, which
SentencePiece would take for a space.
"""

import re
from dataclasses import dataclass

FIRST = 0xE000
COUNT = 16
SYMBOLS = tuple(chr(FIRST + number) for number in range(COUNT))
"""One symbol per distinct placeholder of a segment; what is beyond them stays as it is."""

_PATTERN = re.compile(
    r"\{\{[^{}\n]*\}\}|\{[^{}\n]*\}"  # {name} and {{name}}
    r"|</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>\n]*)?/?>"  # <b>, </b>, <br/>, <a href="...">
    r"|%(?:\([A-Za-z_]\w*\)|\d+\$)?[sdif]\b"  # %s, %(name)s, %1$d
    f"|[{SYMBOLS[0]}-{SYMBOLS[-1]}\u2581]"
)
_SYMBOL = re.compile(f"[{SYMBOLS[0]}-{SYMBOLS[-1]}]")


@dataclass(frozen=True)
class Masks:
    """The placeholders of one source, in the order of their symbols."""

    originals: tuple[str, ...] = ()


def placeholders(text: str) -> list[str]:
    """All placeholders and markup of a text, in order, with repetitions."""
    return _PATTERN.findall(text)


def mask_source(text: str) -> tuple[str, Masks]:
    """The text with a symbol for each placeholder, and what the symbols stand for."""
    originals = tuple(dict.fromkeys(placeholders(text)))[:COUNT]
    masks = Masks(originals)
    return mask_target(text, masks), masks


def mask_target(text: str, masks: Masks) -> str:
    """The text with the source's symbols for its placeholders; one that the source lacks stays as it is.

    A literal private-use character without a symbol, alone or in braces, is left out: it would pass for a mask.
    """
    numbers = {original: SYMBOLS[number] for number, original in enumerate(masks.originals)}
    return _PATTERN.sub(lambda match: numbers.get(match[0]) or _SYMBOL.sub("", match[0]), text)


def restore(text: str, masks: Masks) -> str:
    """The text with each symbol turned back into what it stands for in the source; a symbol without one is left out."""

    def original(match: re.Match[str]) -> str:
        number = ord(match[0]) - FIRST
        return masks.originals[number] if number < len(masks.originals) else ""

    return _SYMBOL.sub(original, text)
