"""With CTC, or location-aware attention, an utterance gives the same alone, in any batch and at any place in it."""

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.config import DecodingConfig, ModelConfig
from s2s.data.batches import Batch, collate, pad
from s2s.decoding import decode_batch, score_batch
from s2s.model import Seq2Seq, build_model
from s2s.search import Hypothesis
from s2s.training.objectives import batch_losses
from tests.small_models import decided

BANDS, SIZE = 8, 9
PER_TOKEN, PER_SEGMENT = 1e-5, 1e-4
SHAPES = [
    ("convolution", "parallel", "multi-head"),
    ("pyramid", "parallel", "additive"),
    ("convolution", "input-feeding", "location-aware"),
]
WEIGHT = 0.4
MODELS = [*((shape, WEIGHT) for shape in SHAPES), (SHAPES[2], 0.0)]


@cache
def model(shape: tuple[str, str, str]) -> Seq2Seq:
    """A small model with random weights that make up their mind."""
    frontend, decoder, attention = shape
    torch.manual_seed(1)
    config = ModelConfig.model_validate(
        {
            "frontend": {"kind": frontend, "width": 16},
            "tied_embeddings": "output",
            "ctc": True,
            "embedding_width": 16,
            "encoder": {"width": 8},
            "decoder": {"kind": decoder, "width": 16},
            "attention": {"kind": attention},
        }
    )
    return decided(build_model(config, BANDS, SIZE), sharpness=2.0, end=1.0)


def utterance(length: int, seed: int) -> Tensor:
    return torch.randn(length, BANDS, generator=torch.Generator().manual_seed(seed))


def found_in(
    shape: tuple[str, str, str], batch: list[Tensor], weight: float = WEIGHT, extra: int = 0
) -> list[list[Hypothesis]]:
    """What is found for utterances in one batch, with `extra` frames of padding that hold anything."""
    source, lengths = pad(batch, multiple=16)
    source = torch.cat([source, torch.zeros(len(batch), extra, BANDS)], dim=1)
    source[torch.arange(source.shape[1]) >= lengths.unsqueeze(1)] = 7.0
    decoding = DecodingConfig(beam_size=3, ctc_weight=weight)
    return decode_batch(model(shape), source, lengths, lengths // 4 + 2, decoding, n_best=2)


@pytest.mark.parametrize(("shape", "weight"), MODELS)
@settings(max_examples=5)
@given(lengths=st.lists(st.integers(1, 60), min_size=2, max_size=4), extra=st.integers(0, 20))
def test_neighbours_place_and_padding_change_nothing(
    shape: tuple[str, str, str], weight: float, lengths: list[int], extra: int
) -> None:
    batch = [utterance(length, seed) for seed, length in enumerate(lengths)]
    for found, alone in zip(found_in(shape, batch, weight, extra), batch, strict=True):
        expected = found_in(shape, [alone], weight)[0]
        assert [one.tokens for one in found] == [one.tokens for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.log_probs == pytest.approx(other.log_probs, abs=PER_TOKEN)
            assert one.score == pytest.approx(other.score, abs=PER_SEGMENT)


def a_batch(lengths: list[int]) -> Batch:
    pairs = [(utterance(length, seed), [4 + n % 5 for n in range(length // 12)]) for seed, length in enumerate(lengths)]
    return collate(pairs, range(len(pairs)), multiple=16)


@pytest.mark.parametrize("shape", SHAPES)
def test_losses_of_a_batch_are_the_sums_of_those_alone(shape: tuple[str, str, str]) -> None:
    lengths = [50, 13, 96, 30]
    together = batch_losses(model(shape), a_batch(lengths), smoothing=0.1, ctc_share=0.3)
    pairs = a_batch(lengths)
    alone = []
    for row, length in enumerate(lengths):
        target = pairs.target[row, 1 : int(pairs.target_lengths[row])].tolist()
        one = collate([(utterance(length, row), target)], [row], multiple=16)
        alone.append(batch_losses(model(shape), one, smoothing=0.1, ctc_share=0.3))
    assert set(together) == {"loss", "likelihood", "ctc"}
    for name, value in together.items():
        total = torch.stack([losses[name].double() for losses in alone]).sum()
        torch.testing.assert_close(value.double(), total, rtol=1e-5, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_score_of_a_search_is_that_of_teacher_forcing_and_ctc(shape: tuple[str, str, str]) -> None:
    """With weight w: (1 - w) log p(attention) + w log p(CTC), the latter by torch's own loss."""
    net = model(shape)
    batch = [utterance(length, seed) for seed, length in enumerate((60, 33, 48))]
    for features, hypotheses in zip(batch, found_in(shape, batch), strict=True):
        for hypothesis in hypotheses:
            if not hypothesis.finished:
                continue
            pair = collate([(features, hypothesis.tokens)], [0], multiple=16)
            attention = sum(score_batch(net, pair)[0])
            log_probs = net.ctc_log_probs(net.read(pair.source, pair.source_lengths)).transpose(0, 1)
            steps = torch.tensor([net.frontend.reduce(len(features))])
            labels = torch.tensor([hypothesis.tokens], dtype=torch.long).view(1, -1)
            count = torch.tensor([labels.shape[1]])
            ctc = torch.nn.functional.ctc_loss(log_probs, labels, steps, count, reduction="sum")
            assert hypothesis.log_prob == pytest.approx((1 - WEIGHT) * attention - WEIGHT * ctc.item(), abs=1e-3)
