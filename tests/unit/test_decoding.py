"""Many sources in batches, in their own order; and what decoding asks of its caller."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from s2s.config import DecodingConfig
from s2s.data.batches import collate, pad
from s2s.decoding import decode_all, decode_batch, score_batch
from s2s.model import Seq2Seq
from s2s.text.vocabulary import EOS
from tests.combinations import label
from tests.small_models import PAIRWISE, small_model

DECODING = DecodingConfig(beam_size=2, max_length=6)
SOURCES = [[*range(4, 4 + length), EOS] for length in (9, 1, 4, 0, 13, 1, 5, 8)]


@pytest.fixture
def model() -> Seq2Seq:
    return small_model(label(PAIRWISE[0]))


def test_no_sources(model: Seq2Seq) -> None:
    assert decode_all(model, [], DECODING, 100) == []


@pytest.mark.parametrize(("budget", "largest"), [(32, 32), (4, 16)])
def test_batches_keep_to_the_budget(model: Seq2Seq, monkeypatch: pytest.MonkeyPatch, budget: int, largest: int) -> None:
    """With the padding; only a segment that is longer than the budget goes beyond it, alone."""
    shapes: list[torch.Size] = []
    encode: Callable[..., object] = model.encode

    def watched(source: Tensor, lengths: Tensor) -> object:
        shapes.append(source.shape)
        return encode(source, lengths)

    monkeypatch.setattr(model, "encode", watched)
    found = decode_all(model, SOURCES, DECODING, budget)
    assert len(found) == len(SOURCES) == sum(rows for rows, _ in shapes)
    assert all(rows * width <= max(budget, width) for rows, width in shapes)
    assert max(rows * width for rows, width in shapes) == largest


def test_results_are_in_the_order_of_the_sources(model: Seq2Seq) -> None:
    found = decode_all(model, SOURCES, DECODING, 64)
    expected = [decode_batch(model, *pad([source]), DECODING)[0][0].tokens for source in SOURCES]
    assert [one.tokens for one in found] == expected
    assert len({tuple(tokens) for tokens in expected}) > 2


def test_a_model_in_training_is_refused(model: Seq2Seq) -> None:
    """Its dropout would change what is found."""
    model.train()
    try:
        with pytest.raises(AssertionError, match="dropout"):
            decode_batch(model, *pad(SOURCES), DECODING)
        with pytest.raises(AssertionError, match="dropout"):
            score_batch(model, collate([([4, EOS], [4])], [0]))
    finally:
        model.eval()
