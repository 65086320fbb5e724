"""What decoding asks of its caller."""

import copy

import pytest
import torch

from s2s.config import DecodingConfig
from s2s.data.batches import collate, pad
from s2s.decoding import decode_batch, score_batch
from s2s.model import Seq2Seq
from s2s.text.vocabulary import BOS, EOS, PAD
from tests.small_models import TEXT, decode, small_model

DECODING = DecodingConfig(beam_size=2, max_length=6)
SOURCES = [[*range(4, 4 + length), EOS] for length in (9, 1, 4, 0, 13, 1, 5, 8)]


@pytest.fixture
def model() -> Seq2Seq:
    return copy.deepcopy(small_model(TEXT))


def test_the_longest_allowed_hypothesis_is_the_shorter_of_two_bounds(model: Seq2Seq) -> None:
    with torch.no_grad():
        model.output.bias[EOS] = -100.0
    limits = torch.tensor([2, 5])
    found = decode_batch(model, *pad(SOURCES[:2]), limits, DecodingConfig(beam_size=1, max_length=4))
    assert [len(hypotheses[0].tokens) for hypotheses in found] == [2, 4]


@pytest.mark.parametrize("special", [PAD, BOS])
def test_symbols_that_are_no_text_are_never_generated(model: Seq2Seq, special: int) -> None:
    with torch.no_grad():
        model.output.bias[special] = 100.0
    for hypotheses in decode(model, *pad(SOURCES), DECODING):
        assert all(special not in hypothesis.tokens for hypothesis in hypotheses)


def test_a_model_in_training_is_refused(model: Seq2Seq) -> None:
    """Its dropout would change what is found."""
    model.train()
    try:
        with pytest.raises(AssertionError, match="dropout"):
            decode(model, *pad(SOURCES), DECODING)
        with pytest.raises(AssertionError, match="dropout"):
            score_batch(model, collate([([4, EOS], [4])], [0]))
    finally:
        model.eval()
