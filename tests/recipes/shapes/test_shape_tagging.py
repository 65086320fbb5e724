"""Aligned many to many: capitals and marks of words, parity of positions, and their baselines."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from recipes.shapes.scoring import labels_of, outputs_of
from recipes.shapes.tagging import alternation, capitals
from s2s.data.labelled import Examples
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


def test_a_second_test_is_twice_as_long() -> None:
    _, task = read_small("tagging/alternation.toml", "data.length=6", "data.train=4", "data.test=4")
    seen: list[int] = []
    model = task.model().eval()
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[1]))
    assert list(task.score(model)) == ["test", "twice as long"]
    assert seen == [6, 12]


def test_the_worst_position_is_the_one_that_is_right_least_often() -> None:
    test = alternation.made("test", 2, 4)
    scores = alternation.score([[0, 1, 0, 1], [0, 0, 0, 1]], test, test).systems["model"]
    assert scores == {"outputs": 87.5, "worst position": 50.0, "whole sequences": 50.0}


def test_baselines_know_training_alone() -> None:
    data = capitals.Data(kind="capitals")
    parts = {"train": capitals.read(["Is it on"], data), "test": capitals.read(["is it ON"], data)}
    for name, scores in capitals.score([["lower", "lower", "UPPER"]], parts).systems.items():
        assert scores["tags"] == pytest.approx(100.0 if name == "model" else 100 / 3)


def test_outputs_come_in_the_order_of_their_examples() -> None:
    """Batches have theirs by length."""
    sources = [torch.full((length, 1), float(length)) for length in (5, 2, 9, 3)]
    examples = Examples([(source, [0] * len(source)) for source in sources])
    found = outputs_of(Echo().eval(), examples)
    assert [row.flatten().tolist() for row in found] == [source.flatten().tolist() for source in sources]


class Echo(nn.Module):
    """Gives back what it is given."""

    def forward(self, source: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Sources (B, S, F) as they are."""
        return source


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
