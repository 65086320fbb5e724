"""What a word is to each normaliser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.errors import UsageError
from s2s.evaluation.normalisers import NORMALISERS, normaliser


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("none", " The  cat,\tsat\u00a0down. ", ["The", "cat,", "sat", "down."]),
        ("none", "", []),
        ("lower", "Die STRASSE, die Straße", ["die", "strasse,", "die", "strasse"]),
        ("words", "Don't stop-and-go!", ["don't", "stop", "and", "go"]),
        ("words", "DON\u2019T", ["don't"]),
        ("words", "'Tis the dogs' \u2018bone\u2019 'n' more", ["tis", "the", "dogs", "bone", "n", "more"]),
        ("words", "\ufb01ne \uff26\uff2f\uff2f 10,000 caf\u0065\u0301", ["fine", "foo", "10", "000", "caf\u00e9"]),
        ("words", "¿Qué? \u2014 «Sí», これ。それ", ["qué", "sí", "これ", "それ"]),
        ("words", "$5 + a_b", ["$5", "+", "a", "b"]),
        ("words", " ... ' -- '' !", []),
    ],
)
def test_words_of_a_text(name: str, text: str, words: list[str]) -> None:
    """Case, punctuation, apostrophes and compatibility forms."""
    assert normaliser(name)(text) == words


@given(st.sampled_from(sorted(NORMALISERS)), st.text())
def test_words_are_never_empty_and_hold_no_white_space(name: str, text: str) -> None:
    """So that they can be joined with spaces and divided again."""
    words = normaliser(name)(text)
    assert " ".join(words).split() == words


@pytest.mark.parametrize("name", sorted(NORMALISERS))
def test_what_was_normalised_stays_as_it_is(name: str) -> None:
    """Of every character below U+3000, within a word and at its ends."""
    split = normaliser(name)
    for code in range(0x3000):
        words = split(f"{chr(code)}a{chr(code)}B{chr(code)}")
        assert split(" ".join(words)) == words, hex(code)


def test_words_disregards_case_of_every_letter() -> None:
    """Except for the dotless i, whose capital is that of i too."""
    split = normaliser("words")
    letters = [chr(code) for code in range(0x3000) if code != 0x131]
    assert [letter for letter in letters if split(letter.upper()) != split(letter)] == []


def test_an_unknown_name_is_refused() -> None:
    """With the names there are."""
    with pytest.raises(UsageError, match="'whisper': choose from none, lower, words"):
        normaliser("whisper")
