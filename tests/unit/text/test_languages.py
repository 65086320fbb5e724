"""Pairs of language codes, also where a code has a hyphen of its own."""

import pytest

from s2s.errors import UsageError
from s2s.text.languages import parse_languages


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("en-de", ("en", "de")),
        ("en-zh-Hans", ("en", "zh-Hans")),
        ("zh-Hant-TW-en", ("zh-Hant-TW", "en")),
        ("pt-BR-es-419", ("pt-BR", "es-419")),
        ("gsw-nds", ("gsw", "nds")),
    ],
)
def test_codes_are_told_apart(text: str, pair: tuple[str, str]) -> None:
    assert parse_languages(text) == pair


@pytest.mark.parametrize("text", ["de", "", "-de", "en-", "en_de", "EN-DE", "en-de-fr", "en-de\n", "a/b-c"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not of the form SOURCE-TARGET"):
        parse_languages(text)
