"""Scores of given pairs are what the model says step by step, whatever stands beside them in a batch."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from s2s.checkpoint import LoadedModel, load_model
from s2s.errors import DataError
from s2s.inference.lines import Counts
from s2s.inference.pairs import Pair, read_pairs
from s2s.inference.results import PairScore
from s2s.inference.scorer import score_pairs
from s2s.text.vocabulary import BOS, EOS
from tests.tiny import write_model

PAIRS = [("the old house", "a tree"), ("", ""), ("a cat", ""), ("", "a dog"), ("one two three", "the red dog or cat")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_model(write_model(tmp_path_factory.mktemp("models") / "tiny"))


def _scores(model: LoadedModel, windows: Sequence[Sequence[Pair]], batch_tokens: int = 2048) -> list[PairScore]:
    return list(score_pairs(model, windows, 100, batch_tokens))


@torch.inference_mode()
def _step_by_step(model: LoadedModel, source: str, target: str) -> list[float]:
    ids, masks = model.codec.encode_source(source)
    state = model.model.start(model.model.encode(torch.tensor([ids]), torch.tensor([len(ids)])))
    found, last = [], BOS
    for token in [*model.codec.encode_target(target, masks), EOS]:
        log_probs, state = model.model.step(state, torch.tensor([last]))
        found.append(float(log_probs[0, token]))
        last = token
    return found


def test_scores_are_those_of_the_model_step_by_step(model: LoadedModel) -> None:
    for score in _scores(model, [PAIRS]):
        if score.source:
            expected = _step_by_step(model, score.source, score.target)
            assert score.token_log_probs == pytest.approx(expected, abs=1e-5)
            assert score.log_prob == pytest.approx(sum(expected), abs=1e-4)
            assert len(score.tokens) == len(expected)


def test_a_blank_source_has_a_blank_target_for_certain(model: LoadedModel) -> None:
    scores = _scores(model, [PAIRS])
    assert [scores[1].log_prob, scores[3].log_prob] == [0.0, float("-inf")]
    assert scores[2].tokens == ("</s>",)


@pytest.mark.parametrize("batch_tokens", [1, 16])
def test_windows_and_batches_change_nothing(model: LoadedModel, batch_tokens: int) -> None:
    whole = _scores(model, [PAIRS])
    parts = _scores(model, [PAIRS[:2], PAIRS[2:]], batch_tokens)
    assert [score.id for score in parts] == [1, 2, 3, 4, 5]
    assert [(score.source, score.target) for score in parts] == PAIRS
    assert [score.log_prob for score in parts] == pytest.approx([score.log_prob for score in whole], abs=1e-4)


def test_placeholders_of_the_target_are_those_of_the_source(model: LoadedModel) -> None:
    (same, other) = _scores(model, [[("{a} and {b}", "{b} or {a}"), ("{a} and {b}", "{a} or {b}")]])
    assert "\ue001" in same.tokens
    assert same.tokens != other.tokens


def test_what_is_too_long_is_cut_and_told(model: LoadedModel) -> None:
    scores = list(score_pairs(model, [[("a cat", "a " * 9), ("a " * 9, "a"), ("a", "a")]], 4, 100))
    assert [score.cut for score in scores] == [True, True, False]
    assert len(scores[0].tokens) == 5


def test_pairs_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"a\n\nb\xff")
    (tmp_path / "target").write_bytes(b"x\r\ny\nz\n")
    counts = Counts()
    windows = list(read_pairs(tmp_path / "source", tmp_path / "target", counts))
    assert windows == [[("a", "x"), ("", "y"), ("b\ufffd", "z")]]
    assert counts.repaired == 1


def test_unequal_files_are_told_before_anything_is_scored(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"a\nb\nc\n")
    (tmp_path / "target").write_bytes(b"x\n")
    with pytest.raises(DataError, match=r"source has 3 lines but .*target has 1\. Nothing was scored"):
        next(read_pairs(tmp_path / "source", tmp_path / "target", Counts()))
