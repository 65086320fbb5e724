"""One to many: numbers in words, from vectors."""

from pathlib import Path

import pytest
import torch

from recipes.shapes.generation.numbers import BELOW, WIDTH, nearest_texts, vector_of
from recipes.shapes.generation.spelling import english, german
from s2s.errors import ConfigError
from tests.recipes.shapes.running import read_small, run_small, scores_of


def test_numbers_from_end_to_end(tmp_path: Path) -> None:
    result = run_small("generation/numbers.toml", tmp_path, "data.test=10", "data.dev=900", "training.batch_tokens=600")
    assert result["parts"]["test"]["segments"] == 20
    assert scores_of(result)["text of the nearest vector"]["exact"] == 0
    assert scores_of(result)["text of the nearest vector"]["CER"] > 10


@pytest.mark.parametrize(
    ("number", "in_english", "in_german"),
    [
        (0, "zero", "null"),
        (1, "one", "eins"),
        (12, "twelve", "zwölf"),
        (21, "twenty-one", "einundzwanzig"),
        (70, "seventy", "siebzig"),
        (101, "one hundred and one", "einhunderteins"),
        (500, "five hundred", "fünfhundert"),
        (241, "two hundred and forty-one", "zweihunderteinundvierzig"),
        (999, "nine hundred and ninety-nine", "neunhundertneunundneunzig"),
    ],
)
def test_numbers_are_spelt(number: int, in_english: str, in_german: str) -> None:
    assert (english(number), german(number)) == (in_english, in_german)


def test_every_number_has_its_own_words_and_vector() -> None:
    for spell in (english, german):
        assert len({spell(number) for number in range(BELOW)}) == BELOW
    vectors = {tuple(vector_of(language, n).tolist()) for language in ("en", "de") for n in range(BELOW)}
    assert len(vectors) == 2 * BELOW
    assert all(sum(vector) == 4 and len(vector) == WIDTH for vector in vectors)


def test_no_number_is_in_two_parts() -> None:
    _, task = read_small("generation/numbers.toml")
    assert (len(task.train), len(task.dev)) == (1500, 100)
    train = {tuple(vector[0, 2:].tolist()) for vector, _ in task.train.pairs}
    dev = {tuple(vector[0, 2:].tolist()) for vector, _ in task.dev.pairs}
    test = {tuple(vector[0, 2:].tolist()) for vector, _ in task.test.pairs}
    assert (len(train), len(dev), len(test)) == (750, 50, 200)
    assert not train & dev
    assert not test & (train | dev)


def test_the_nearest_vector_shares_most() -> None:
    known = torch.stack([vector_of("en", 241), vector_of("de", 119)])
    assert nearest_texts(known, ["a", "b"], torch.stack([vector_of("en", 249), vector_of("de", 219)])) == ["a", "b"]


def test_something_must_be_left_to_train() -> None:
    with pytest.raises(ConfigError, match="none is left to train"):
        read_small("generation/numbers.toml", "data.test=960")
