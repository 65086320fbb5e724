"""Aligned many to many: capitals and marks of words, parity of positions, and their baselines."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from recipes.shapes.scoring import labels_of
from recipes.shapes.tagging import alternation, capitals
from s2s.errors import DataError
from tests.recipes.shapes.running import read_small, run_small, scores_of
from tests.recipes.translation.test_ui_strings import component_in, make_wheel

STRINGS = {
    "train": ["Turn on the light.", "Turn off the USB hub.", "The light is off.", "Two words"],
    "dev": ["Turn on the hub."],
    "test": ["The USB light is on.", "Is the WiFi light on?"],
}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A few English strings."""
    wheel_of(STRINGS, tmp_path, monkeypatch)
    return tmp_path


def wheel_of(strings: Mapping[str, Sequence[str]], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """English strings of each part; German ones differ from them."""
    components = {
        component_in(part): {
            "en": {str(n): text for n, text in enumerate(texts)},
            "de": {str(n): f"de {text}" for n, text in enumerate(texts)},
        }
        for part, texts in strings.items()
    }
    make_wheel(folder, components, monkeypatch)


def test_capitals_from_end_to_end(wheel: Path, tmp_path: Path) -> None:
    result = run_small("tagging/capitals.toml", tmp_path, from_dir=wheel)
    assert result["parts"]["test"]["segments"] == 2
    assert set(scores_of(result)) == {
        "model",
        "most frequent tag of the word",
        "the same, by first, inner and last word",
    }


@pytest.mark.parametrize(
    ("word", "plain", "tag"),
    [
        ("Light.", "light", "Title."),
        ("USB", "usb", "UPPER"),
        ("on", "on", "lower"),
        ("WiFi?", "wifi", "miXed?"),
        ("I,", "i", "Title,"),
        ("...", "", "lower..."),
        ("1.5", "1.5", "lower"),
    ],
)
def test_words_lose_capitals_and_marks(word: str, plain: str, tag: str) -> None:
    assert capitals.tagged(word) == (plain, tag)
    if "miXed" not in tag:
        assert capitals.restored(plain, tag) == word


def test_nothing_to_score_is_an_error_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel_of({**STRINGS, "test": ["Two more"]}, tmp_path, monkeypatch)
    with pytest.raises(DataError, match=r"ui_strings has nothing for test\."):
        read_small("tagging/capitals.toml", from_dir=tmp_path)


def test_short_strings_are_left_out() -> None:
    found = capitals.read(["Two words", "Now three words", "Now three words"], capitals.Data(kind="capitals"))
    assert found == [[("now", "Title"), ("three", "lower"), ("words", "lower")]]


def test_the_most_frequent_tag_depends_on_the_place_where_it_should() -> None:
    data = capitals.Data(kind="capitals")
    train = capitals.read(["On it is.", "Is it on", "Keep it on", "On we go"], data)
    test = capitals.read(["on strange on", "new it new"], data)
    assert capitals.most_frequent(train, test, by_place=False)[1] == ["lower", "lower", "lower"]
    assert capitals.most_frequent(train, test, by_place=True)[0] == ["Title", "lower", "lower"]


def test_the_outputs_alternate_whatever_is_read() -> None:
    examples = alternation.made("train", 50, 7)
    assert {tuple(target) for _, target in examples.pairs} == {(0, 1, 0, 1, 0, 1, 0)}
    sources = {tuple(map(tuple, source.tolist())) for source, _ in examples.pairs}
    assert len(sources) > 25
    assert all(source.sum(1).tolist() == [1.0] * 7 for source, _ in examples.pairs)


def test_a_baseline_without_positions_is_at_chance() -> None:
    train, test = alternation.made("train", 200, 20), alternation.made("test", 200, 20)
    baseline = alternation.after_inputs(train, test)
    scores = alternation.score(baseline, train, test).systems["model"]
    assert 45 < scores["outputs"] < 55
    assert scores["whole sequences"] == 0


def test_a_model_counts_in_its_state() -> None:
    """Before training it does not: what is measured is learnt."""
    torch_seeded, task = read_small("tagging/alternation.toml", "data.length=10", "data.train=20", "data.test=20")
    assert torch_seeded.seed == 1
    model = task.model().eval()
    before = alternation.score(labels_of(model, task.dev), task.train, task.dev).systems["model"]
    assert before["whole sequences"] < 50
