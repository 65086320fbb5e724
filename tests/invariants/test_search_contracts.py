"""The search of real models against greedy decoding, brute force and teacher forcing that know nothing of it."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.config import DecodingConfig
from s2s.data.batches import collate, pad
from s2s.decoding import score_batch
from s2s.model import Seq2Seq
from s2s.search import Hypothesis
from s2s.text.vocabulary import BOS, EOS, PAD, UNK
from tests.small_models import LABELS, decode, small_model, sources

PER_TOKEN = 1e-5
PER_SEGMENT = 1e-4
LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=3)
SEEDS = st.integers(0, 10**6)


def next_log_probs(model: Seq2Seq, source: Tensor, prefix: list[int]) -> torch.Tensor:
    """Log-probabilities (V) of what may follow a prefix, from scratch: no state, no batch."""
    with torch.inference_mode():
        memory = model.encode(source.unsqueeze(0), torch.tensor([len(source)]))
        features = model.decode(memory, torch.tensor([[BOS, *prefix]])).features
        log_probs = torch.log_softmax(model.logits(features[0, -1]), dim=0)
        log_probs[[PAD, BOS]] = float("-inf")
        return log_probs


def greedy(model: Seq2Seq, source: Tensor, limit: int) -> tuple[list[int], float]:
    """The likeliest token after the likeliest token, up to EOS or the limit, with the sum of log-probabilities."""
    tokens: list[int] = []
    total = 0.0
    while True:
        log_probs = next_log_probs(model, source, tokens)
        token = int(log_probs.argmax())
        if token != EOS and len(tokens) == limit:
            return tokens, total
        total += float(log_probs[token])
        if token == EOS:
            return tokens, total
        tokens.append(token)


@pytest.mark.parametrize("name", LABELS)
@settings(max_examples=4)
@given(lengths=LENGTHS, seed=SEEDS)
def test_a_beam_of_one_is_greedy(name: str, lengths: list[int], seed: int) -> None:
    model = small_model(name)
    batch = sources(model, lengths, seed=seed)
    found = decode(model, *pad(batch), DecodingConfig(beam_size=1, max_length=8))
    for (hypothesis,), source in zip(found, batch, strict=True):
        tokens, total = greedy(model, source, 8)
        assert hypothesis.tokens == tokens
        assert hypothesis.log_prob == pytest.approx(total, abs=PER_SEGMENT)


def everything(model: Seq2Seq, source: Tensor, limit: int, penalty: float) -> list[tuple[float, list[int]]]:
    """All targets of at most `limit` tokens of a vocabulary of six with their scores, best first."""
    targets = [list(tokens) for count in range(limit + 1) for tokens in product([UNK, 4, 5], repeat=count)]
    scored = score_batch(model, collate([(source, target) for target in targets], range(len(targets))))
    ranked = [(sum(one) / len(one) ** penalty, target) for one, target in zip(scored, targets, strict=True)]
    return sorted(ranked, reverse=True)


@pytest.mark.parametrize("name", LABELS)
@settings(max_examples=4)
@given(lengths=LENGTHS, seed=SEEDS, penalty=st.sampled_from([0.0, 0.6, 1.0, 2.0]), best=st.integers(1, 5))
def test_a_full_beam_is_brute_force(name: str, lengths: list[int], seed: int, penalty: float, best: int) -> None:
    limit = 3
    model = small_model(name, size=6)
    batch = sources(model, lengths, size=6, seed=seed)
    decoding = DecodingConfig(beam_size=200, length_penalty=penalty, max_length=limit)
    for found, source in zip(decode(model, *pad(batch), decoding, n_best=best), batch, strict=True):
        expected = everything(model, source, limit, penalty)[:best]
        assert [hypothesis.score for hypothesis in found] == pytest.approx([score for score, _ in expected], abs=1e-5)
        assert [hypothesis.tokens for hypothesis in found] == [target for _, target in expected]


def forced(model: Seq2Seq, source: Tensor, hypothesis: Hypothesis) -> list[float]:
    """Log-probabilities of a hypothesis under teacher forcing; without that of EOS when it is unfinished."""
    (log_probs,) = score_batch(model, collate([(source, hypothesis.tokens)], [0]))
    return log_probs if hypothesis.finished else log_probs[:-1]


@pytest.mark.parametrize("name", LABELS)
@settings(max_examples=4)
@given(lengths=LENGTHS, seed=SEEDS, beam=st.integers(1, 5), penalty=st.sampled_from([0.0, 1.0]))
def test_reported_log_probabilities_are_those_of_teacher_forcing(
    name: str, lengths: list[int], seed: int, beam: int, penalty: float
) -> None:
    model = small_model(name)
    batch = sources(model, lengths, seed=seed)
    decoding = DecodingConfig(beam_size=beam, length_penalty=penalty, max_length=12)
    for found, source in zip(decode(model, *pad(batch), decoding, n_best=beam), batch, strict=True):
        assert found
        assert len({tuple(hypothesis.tokens) for hypothesis in found}) == len(found)
        for hypothesis in found:
            expected = forced(model, source, hypothesis)
            assert hypothesis.log_probs == pytest.approx(expected, abs=PER_TOKEN)
            assert hypothesis.log_prob == pytest.approx(sum(expected), abs=PER_SEGMENT)
            assert hypothesis.score == pytest.approx(hypothesis.log_prob / len(expected) ** penalty, abs=1e-5)
            assert len(hypothesis.alignment) == len(hypothesis.tokens)
            assert all(0 <= position < model.frontend.reduce(len(source)) for position in hypothesis.alignment)


def test_alignments_are_where_attention_is_largest() -> None:
    model = small_model(LABELS[0])
    batch = sources(model, [7, 4])
    found = decode(model, *pad(batch), DecodingConfig(beam_size=3, max_length=9))
    for (hypothesis,), source in zip(found, batch, strict=True):
        memory = model.encode(source.unsqueeze(0), torch.tensor([len(source)]))
        attention = model.decode(memory, torch.tensor([[BOS, *hypothesis.tokens]])).attention[0]
        assert hypothesis.alignment == attention.argmax(1).tolist()[: len(hypothesis.tokens)]


@pytest.mark.parametrize("name", LABELS[:4])
def test_padding_and_bos_are_never_generated_and_unknown_tokens_may_be(name: str) -> None:
    model = small_model(name, seed=5)
    with torch.no_grad():
        for token in (PAD, BOS, UNK):
            model.output.bias[token] = 20.0
        model.output.bias[UNK] = 15.0
    found = decode(model, *pad(sources(model, [3, 5])), DecodingConfig(beam_size=3, max_length=6), n_best=3)
    tokens = {token for hypotheses in found for hypothesis in hypotheses for token in hypothesis.tokens}
    assert UNK in tokens
    assert not tokens & {PAD, BOS, EOS}
