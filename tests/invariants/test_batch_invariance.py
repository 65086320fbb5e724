"""Text or audio gives the same alone, in any batch and at any place in it, whatever stands in the padding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.config import DecodingConfig
from s2s.data.batches import collate, pad
from s2s.decoding import score_batch
from s2s.model import Seq2Seq, build_model
from s2s.search import Hypothesis
from s2s.text.vocabulary import EOS
from tests.small_models import LABELS, SIZE, as_source, config_of, decided, decode, small_model

PER_TOKEN = 1e-5
PER_SEGMENT = 1e-4
DECODING = DecodingConfig(beam_size=4, length_penalty=0.8, max_length=16)

segments = st.lists(st.integers(4, SIZE - 1), max_size=12).map(lambda ids: [*ids, EOS])


def assert_same(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    """Equal tokens, and log-probabilities within the tolerances."""
    assert [hypothesis.tokens for hypothesis in found] == [hypothesis.tokens for hypothesis in expected]
    assert [hypothesis.finished for hypothesis in found] == [hypothesis.finished for hypothesis in expected]
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.log_probs == pytest.approx(theirs.log_probs, abs=PER_TOKEN)
        assert mine.log_prob == pytest.approx(theirs.log_prob, abs=PER_SEGMENT)
        assert mine.score == pytest.approx(theirs.score, abs=PER_SEGMENT)
        assert mine.alignment == theirs.alignment


def alone(model: Seq2Seq, source: Tensor, decoding: DecodingConfig = DECODING) -> list[Hypothesis]:
    """The two best hypotheses of a source without any neighbour or padding."""
    return decode(model, source.unsqueeze(0), torch.tensor([len(source)]), decoding, n_best=2)[0]


@pytest.mark.parametrize("name", LABELS)
@settings(max_examples=5)
@given(batch=st.lists(segments, min_size=2, max_size=4), extra=st.integers(0, 5), garbage=st.integers(0, SIZE - 1))
def test_neighbours_place_and_padding_change_nothing(
    name: str, batch: list[list[int]], extra: int, garbage: int
) -> None:
    model = small_model(name)
    rows = [as_source(model, ids) for ids in batch]
    source, lengths = pad(rows)
    source = torch.cat([source, source.new_zeros(len(batch), extra, *source.shape[2:])], dim=1)
    source[torch.arange(source.shape[1]) >= lengths.unsqueeze(1)] = garbage
    for found, row in zip(decode(model, source, lengths, DECODING, n_best=2), rows, strict=True):
        assert_same(found, alone(model, row))


@pytest.mark.parametrize("name", LABELS)
@settings(max_examples=5)
@given(
    pairs=st.lists(st.tuples(segments, segments.map(lambda ids: ids[:-1])), min_size=2, max_size=4),
    garbage=st.integers(0, SIZE - 1),
)
def test_scores_of_given_targets_do_not_depend_on_the_batch(
    name: str, pairs: list[tuple[list[int], list[int]]], garbage: int
) -> None:
    model = small_model(name)
    rows = [(as_source(model, source), target) for source, target in pairs]
    batch = collate(rows, range(len(rows)))
    for padded, lengths in ((batch.source, batch.source_lengths), (batch.target, batch.target_lengths + 1)):
        padded[torch.arange(padded.shape[1]) >= lengths.unsqueeze(1)] = garbage
    for found, pair in zip(score_batch(model, batch), rows, strict=True):
        (expected,) = score_batch(model, collate([pair], [0]))
        assert len(found) == len(pair[1]) + 1
        assert found == pytest.approx(expected, abs=PER_TOKEN)
        assert sum(found) == pytest.approx(sum(expected), abs=PER_SEGMENT)


@pytest.mark.parametrize("cell", ["lstm", "gru", "min-gru"])
def test_the_tolerances_hold_at_the_width_of_real_models(cell: str) -> None:
    """Errors of rounding grow with the widths and with the spread of the scores."""
    torch.manual_seed(0)
    shape = {"cell": cell, "decoder": "parallel", "attention": "multi-head", "bridge": "mean"}
    model = decided(build_model(config_of(shape, width=320), 4000, 4000), sharpness=8.0, end=4.0)
    batch = [torch.tensor([*torch.randint(4, 4000, (length,)).tolist(), EOS]) for length in (3, 25, 9, 14)]
    greedy = DecodingConfig(beam_size=2, max_length=30)
    for found, source in zip(decode(model, *pad(batch), greedy, n_best=2), batch, strict=True):
        assert_same(found, alone(model, source, greedy))
