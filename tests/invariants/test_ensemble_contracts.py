"""Ensembles of models of unlike shapes against their members under teacher forcing, that knows nothing of it."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.config import DecodingConfig
from s2s.data.batches import collate, pad
from s2s.decoding import score_batch
from s2s.inference.ensemble import Ensemble
from s2s.model import Seq2Seq
from s2s.search import Hypothesis
from s2s.text.vocabulary import UNK
from tests.small_models import LABELS, SHAPES, SIZE, decode, small_model, sources

PER_TOKEN = 1e-5
PER_SEGMENT = 1e-4
FEW = settings(max_examples=4)
LENGTHS = st.lists(st.integers(1, 12), min_size=2, max_size=4)
SEEDS = st.integers(0, 10**6)

TEXT, AUDIO = (
    [name for name, shape in zip(LABELS, SHAPES, strict=True) if (shape["frontend"] == "embedding") == text]
    for text in (True, False)
)
PAIRS = [*pairwise(TEXT), *pairwise(AUDIO)]
"""Names of models that read the same and differ in cells, attention, decoders, bridges and frontends of frames."""


def members(names: tuple[str, ...], size: int = SIZE) -> list[Seq2Seq]:
    """The models of those names, each with a seed of its own."""
    return [small_model(name, size=size, seed=number) for number, name in enumerate(names)]


def assert_same(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    """Equal tokens, alignments and ends, and log-probabilities within the tolerances."""
    assert [(one.tokens, one.alignment, one.finished) for one in found] == [
        (one.tokens, one.alignment, one.finished) for one in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert one.log_probs == pytest.approx(other.log_probs, abs=PER_TOKEN)
        assert one.score == pytest.approx(other.score, abs=PER_SEGMENT)


def test_pairs_mix_what_they_can() -> None:
    shapes = [[SHAPES[LABELS.index(name)] for name in pair] for pair in PAIRS]
    for part in ("cell", "decoder", "attention", "bridge"):
        assert any(one[part] != other[part] for one, other in shapes)
    assert any({one["frontend"], other["frontend"]} == {"convolution", "pyramid"} for one, other in shapes)


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("beam", [1, 5])
@FEW
@given(lengths=LENGTHS, seed=SEEDS)
def test_a_model_beside_itself_finds_what_it_finds_alone(name: str, beam: int, lengths: list[int], seed: int) -> None:
    model = small_model(name)
    batch = pad(sources(model, lengths, seed=seed))
    decoding = DecodingConfig(beam_size=beam, length_penalty=0.8, max_length=12)
    found, expected = (decode(one, *batch, decoding, n_best=beam) for one in (Ensemble([model, model]), model))
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)


def mean_forced(models: list[Seq2Seq], source: Tensor, targets: list[list[int]]) -> list[list[float]]:
    """The logarithm of the mean probability of each label of each target, EOS last, by scores of each model alone."""
    batch = collate([(source, target) for target in targets], range(len(targets)))
    rows = zip(*(score_batch(model, batch) for model in models), strict=True)
    means = [torch.tensor(scores, dtype=torch.float64).exp().mean(0).log() for scores in rows]
    return [mean.tolist() for mean in means]


@pytest.mark.parametrize("names", PAIRS)
@FEW
@given(lengths=LENGTHS, seed=SEEDS, penalty=st.sampled_from([0.0, 1.0]), best=st.integers(1, 5))
def test_a_full_beam_is_brute_force(
    names: tuple[str, str], lengths: list[int], seed: int, penalty: float, best: int
) -> None:
    """Over all targets of at most three tokens of a vocabulary of six."""
    models = members(names, size=6)
    batch = sources(models[0], lengths, size=6, seed=seed)
    decoding = DecodingConfig(beam_size=200, length_penalty=penalty, max_length=3)
    targets = [list(tokens) for count in range(4) for tokens in product([UNK, 4, 5], repeat=count)]
    for found, source in zip(decode(Ensemble(models), *pad(batch), decoding, best), batch, strict=True):
        scored = mean_forced(models, source, targets)
        ranked = [(sum(one) / len(one) ** penalty, target) for one, target in zip(scored, targets, strict=True)]
        expected = sorted(ranked, reverse=True)[:best]
        assert [hypothesis.score for hypothesis in found] == pytest.approx([score for score, _ in expected], abs=1e-5)
        assert [hypothesis.tokens for hypothesis in found] == [target for _, target in expected]


@pytest.mark.parametrize("names", [*PAIRS, tuple(TEXT[:4])])
@FEW
@given(lengths=LENGTHS, seed=SEEDS, beam=st.integers(1, 5))
def test_reported_log_probabilities_are_those_of_teacher_forcing(
    names: tuple[str, ...], lengths: list[int], seed: int, beam: int
) -> None:
    models = members(names)
    batch = sources(models[0], lengths, seed=seed)
    decoding = DecodingConfig(beam_size=beam, length_penalty=1.0, max_length=12)
    for found, source in zip(decode(Ensemble(models), *pad(batch), decoding, n_best=beam), batch, strict=True):
        assert found
        for hypothesis in found:
            (expected,) = mean_forced(models, source, [hypothesis.tokens])
            expected = expected if hypothesis.finished else expected[:-1]
            assert hypothesis.log_probs == pytest.approx(expected, abs=PER_TOKEN)
            assert hypothesis.log_prob == pytest.approx(sum(expected), abs=PER_SEGMENT)


@pytest.mark.parametrize("names", PAIRS)
@FEW
@given(lengths=LENGTHS, seed=SEEDS, extra=st.integers(0, 5))
def test_neighbours_place_and_padding_change_nothing(
    names: tuple[str, str], lengths: list[int], seed: int, extra: int
) -> None:
    ensemble = Ensemble(members(names))
    rows = sources(small_model(names[0]), lengths, seed=seed)
    source, counts = pad(rows)
    source = torch.cat([source, source.new_zeros(len(rows), extra, *source.shape[2:])], dim=1)
    source[torch.arange(source.shape[1]) >= counts.unsqueeze(1)] = 7
    decoding = DecodingConfig(beam_size=4, length_penalty=0.8, max_length=12)
    for found, row in zip(decode(ensemble, source, counts, decoding, n_best=2), rows, strict=True):
        (alone,) = decode(ensemble, row.unsqueeze(0), torch.tensor([len(row)]), decoding, n_best=2)
        assert_same(found, alone)


@pytest.mark.parametrize("names", PAIRS)
@FEW
@given(lengths=LENGTHS, seed=SEEDS)
def test_the_order_of_members_changes_nothing(names: tuple[str, str], lengths: list[int], seed: int) -> None:
    models = members(names)
    batch = pad(sources(models[0], lengths, seed=seed))
    decoding = DecodingConfig(beam_size=4, max_length=12)
    found, expected = (decode(Ensemble(some), *batch, decoding, n_best=4) for some in (models, models[::-1]))
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)
