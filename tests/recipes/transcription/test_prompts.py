"""Which texts of prompts tell what is said, and in which words."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from recipes.transcription.corpora.prompts import digit_words, fault, read_texts, spoken

DIGITS = {"1": "one", "2": "two", "5": "five", "3": "three"}


def test_lines_are_read_by_name(tmp_path: Path) -> None:
    """Comments and empty lines go, names lose their capitals, the first text of a name counts, colons may follow."""
    lines = ["\ufeff; Core Sounds", "", "vm-INBOX: new", "note: as follows: two ", "digits/0: zero", "digits/0: ten"]
    lines += ["empty:", "no colon", "silence: dollars; cents"]
    path = tmp_path / "core.txt.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    dropped: Counter[str] = Counter()
    texts = read_texts(path, dropped)
    assert texts == {
        "vm-inbox": "new",
        "note": "as follows: two",
        "digits/0": "zero",
        "empty": "",
        "silence": "dollars; cents",
    }
    assert dropped == {"second text of a name": 1}
    assert digit_words(texts) == {"0": "zero"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Please press 1 or 2, then don't wait.", "please press one or two then don't wait"),
        ("at [@]", "at"),
        ('IAX (note: does not say "2")', "iax"),
        ("[!] punto esclamativo", "punto esclamativo"),
        ("3D audio", "three d audio"),
        ("A.M.", "a m"),
        ("...to re-record it...", "to re record it"),
        ("dall\u2019interno 5\u2026", "dall'interno five"),
        ("«Взёздочка» \u2013 ДА", "взёздочка да"),
        ("o'clock", "o'clock"),
    ],
)
def test_what_is_said(text: str, words: str) -> None:
    """Words in small letters, digits as the prompts themselves say them, without notes."""
    assert spoken(text, DIGITS) == words
    assert fault(text, "ru" if "ДА" in text else "en", DIGITS) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no speech"),
        ("...", "no speech"),
        ("[this is a simple beep tone]", "no speech"),
        ("<beep ascending>", "no speech"),
        ("(10 seconds of silence)", "no speech"),
        ("Spiacente, [quello] non è un interno.", "words in brackets"),
        ("dial 500 now", "numbers or symbols with several readings"),
        ("H.323", "numbers or symbols with several readings"),
        ("press # to exit", "numbers or symbols with several readings"),
        ("press 9 to exit", "numbers or symbols with several readings"),
        ("visit www.asterisk.org.", "numbers or symbols with several readings"),
        ("Se questo ? corretto", "lost letters"),
        ("non pu? essere", "lost letters"),
        ("dopo il tono. vm-then-pound: poi premere", "two texts in one line"),
        ("прервано at (beep)", "letters of another script"),
        ("перв\u006fe", "letters of another script"),
    ],
)
def test_texts_that_do_not_tell_what_is_said(text: str, reason: str) -> None:
    """Each for its own reason; a digit without a prompt of its own is such a number."""
    assert fault(text, "ru" if "\u0440" in text else "en", DIGITS) == reason


@pytest.mark.parametrize("text", ["Mailbox? Please wait", "Which folder ?", "Agent? (note: nothing)", "we have: three"])
def test_what_looks_like_a_fault_and_is_none(text: str) -> None:
    """A question before a capital letter or at the end; words before a colon without hyphens."""
    assert fault(text, "en", DIGITS) is None
