"""Perplexity by hand."""

import math

import pytest

from s2s.evaluation.perplexity import perplexities


def test_perplexities_by_hand() -> None:
    lines = [("a bc", 3, -6.0), ("", 0, -1.0)]
    token, word, character = perplexities(lines, "line", "0123")
    assert (token.count, word.count, character.count) == (5, 4, 6)
    assert token.value == pytest.approx(math.exp(7 / 5))
    assert word.value == pytest.approx(math.exp(7 / 4))
    assert character.value == pytest.approx(math.exp(7 / 6))
    assert word.signature.startswith(
        "per:word|ends:counted|spaces:single|placeholders:one|context:line|tok:0123|version:"
    )


def test_nothing_has_no_perplexity_and_the_impossible_an_infinite_one() -> None:
    assert math.isnan(perplexities([], "line", "0")[0].value)
    assert perplexities([("a", 1, -math.inf)], "line", "0")[0].value == math.inf
    assert math.isnan(perplexities([("a", 1, math.nan)], "line", "0")[0].value)
