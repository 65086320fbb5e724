"""Results never hold what some program takes for the end of a line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.inference.results import Candidate, LineScore, PairScore, Tokens, Translation, json_line

KEYS = ["id", "source", "text", "score", "tokens", "alignment", "n_best"]


@given(st.text())
def test_json_is_one_line_and_reads_back(text: str) -> None:
    line = json_line({"text": text})
    assert len(line.splitlines()) == 1
    assert json.loads(line) == {"text": text}


def test_json_keeps_other_scripts_legible() -> None:
    assert json_line({"text": "日本\u2028"}) == '{"text": "日本\\u2028"}'


def test_the_keys_of_a_translation_are_frozen() -> None:
    translation = Translation(
        3, "ein Haus", "a house", -0.5, Tokens(("ein", "Haus"), ("a", "house")), (0, 1), (Candidate("a house", -0.5),)
    )
    document = json.loads(translation.to_json())
    assert list(document) == KEYS
    assert document == {
        "id": 3,
        "source": "ein Haus",
        "text": "a house",
        "score": -0.5,
        "tokens": {"source": ["ein", "Haus"], "target": ["a", "house"]},
        "alignment": [0, 1],
        "n_best": [{"text": "a house", "score": -0.5}],
    }


def test_the_keys_of_a_score_are_frozen_and_minus_infinity_is_null() -> None:
    document = json.loads(PairScore(1, "", "x", float("-inf"), (), ()).to_json())
    assert document == {"id": 1, "source": "", "target": "x", "log_prob": None, "tokens": [], "token_log_probs": []}


def test_what_is_no_finite_number_is_null() -> None:
    impossible = LineScore(1, "a b", float("-inf"), ("a", "b", "</s>"), (float("-inf"), -0.5, float("nan")))
    assert json.loads(impossible.to_json(), parse_constant=pytest.fail) == {
        "id": 1,
        "text": "a b",
        "log_prob": None,
        "tokens": ["a", "b", "</s>"],
        "token_log_probs": [None, -0.5, None],
    }
