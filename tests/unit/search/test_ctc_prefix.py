"""Joint search against torch's CTC loss, teacher forcing and brute force; CTC's posteriors are random."""

from collections.abc import Sequence
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.search import Hypothesis, SearchOptions, joint_step, search
from tests.unit.search.toy import BOS, EOS, PAD, Toy, ToyState, likelihood, posteriors

FEW = settings(max_examples=20)
SEEDS = st.integers(0, 10_000)
WEIGHTS = st.sampled_from([0.2, 0.5, 0.9, 1.0])


def run(
    toy: Toy,
    segments: Sequence[int],
    log_probs: Tensor,
    lengths: Sequence[int],
    limits: Sequence[int],
    weight: float,
    options: SearchOptions,
) -> list[list[Hypothesis]]:
    """The joint search under test."""
    step, state = joint_step(toy.step, toy.start(segments), log_probs, torch.tensor(lengths), weight, PAD, EOS)
    return search(step, state, torch.tensor(limits), options, BOS, EOS, never=(PAD, BOS))


@FEW
@given(SEEDS, st.integers(1, 4), st.sampled_from([0.0, 1.0]))
def test_a_full_beam_of_ctc_alone_is_brute_force(seed: int, steps: int, penalty: float) -> None:
    """All label sequences of at most `steps` labels in the order of their exact probabilities."""
    (log_probs,) = posteriors([steps], 6, seed)
    every = [list(labels) for count in range(steps + 1) for labels in product((3, 4, 5), repeat=count)]
    scored = [(likelihood(log_probs, labels) / (len(labels) + 1) ** penalty, labels) for labels in every]
    expected = sorted((one for one in scored if one[0] > -torch.inf), reverse=True)
    options = SearchOptions(len(every), penalty, n_best=len(every))
    (found,) = run(Toy(6, seed), [0], log_probs.unsqueeze(0), [steps], [steps], 1.0, options)
    finished = [one for one in found if one.finished]
    assert expected == [(pytest.approx(one.score, abs=1e-5), one.tokens) for one in finished]


@FEW
@given(SEEDS, st.lists(st.integers(2, 12), min_size=1, max_size=4), st.integers(1, 4), WEIGHTS)
def test_the_score_is_the_weighted_sum_of_both_models(seed: int, lengths: list[int], beam: int, weight: float) -> None:
    """Of teacher forcing and torch's loss."""
    toy, log_probs = Toy(9, seed), posteriors(lengths, 9, seed)
    segments = range(len(lengths))
    found = run(toy, segments, log_probs, lengths, [9] * len(lengths), weight, SearchOptions(beam, 1.0, beam))
    for segment, length in enumerate(lengths):
        for one in (hypothesis for hypothesis in found[segment] if hypothesis.finished):
            attention = sum(toy.log_probs(segment, [*one.tokens, EOS]))
            ctc = likelihood(log_probs[segment, :length], one.tokens)
            assert one.log_prob == pytest.approx((1 - weight) * attention + weight * ctc, abs=1e-4)
            assert not {PAD, BOS, EOS} & set(one.tokens)


@FEW
@given(SEEDS, st.lists(st.integers(1, 12), min_size=2, max_size=6), st.integers(1, 4), WEIGHTS)
def test_ctc_of_neighbours_changes_nothing(seed: int, lengths: list[int], beam: int, weight: float) -> None:
    """A segment alone, and the same one at any place among others, with garbage beyond its end."""
    toy, log_probs, options = Toy(9, seed), posteriors(lengths, 9, seed), SearchOptions(beam, 1.0, beam)
    limits = [(3 * length) % 10 for length in lengths]
    together = run(toy, range(len(lengths)), log_probs, lengths, limits, weight, options)
    for segment, (length, limit) in enumerate(zip(lengths, limits, strict=True)):
        own = log_probs[segment : segment + 1, :length]
        alone = run(toy, [segment], own, [length], [limit], weight, options)[0]
        assert [one.tokens for one in together[segment]] == [one.tokens for one in alone]
        assert [one.finished for one in together[segment]] == [one.finished for one in alone]
        for one, other in zip(together[segment], alone, strict=True):
            assert one.log_probs == pytest.approx(other.log_probs, abs=1e-5)
            assert one.alignment == other.alignment


def test_a_weight_of_zero_leaves_attention_as_it_is() -> None:
    toy = Toy(9, seed=1)
    step, state = joint_step(toy.step, toy.start([0, 1]), posteriors([5, 3], 9, 1), torch.tensor([5, 3]), 0, PAD, EOS)
    inner = toy.start([0, 1])
    for tokens in (torch.tensor([BOS, BOS]), torch.tensor([4, 5])):
        scores, state = step(state, tokens)
        expected, inner = toy.step(inner, tokens)
        assert torch.equal(scores, expected)
        assert state.attention is not None and inner.attention is not None
        assert torch.equal(state.attention, inner.attention)


class Silent:
    """A step that has nothing to say, in 64 bits, so that CTC's own scores can be seen."""

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary

    def step(self, state: ToyState, tokens: Tensor) -> tuple[Tensor, ToyState]:
        """All tokens get zero."""
        return torch.zeros(len(tokens), self.vocabulary, dtype=torch.float64), state

    def follow(self, log_probs: Tensor, length: int, tokens: Sequence[int]) -> list[Tensor]:
        """Scores (V) by CTC after each prefix of the tokens, the empty one first."""
        first = ToyState(torch.zeros(1, 1))
        step, state = joint_step(self.step, first, log_probs.unsqueeze(0), torch.tensor([length]), 1.0, PAD, EOS)
        rows = []
        for token in [BOS, *tokens]:
            scores, state = step(state, torch.tensor([token]))
            rows.append(scores[0])
        return rows


@FEW
@given(SEEDS, st.integers(1, 8), st.lists(st.integers(3, 7), max_size=6))
def test_what_may_follow_a_prefix_adds_up_to_one(seed: int, length: int, tokens: list[int]) -> None:
    """When CTC never says EOS by itself: one of the labels follows or the sequence ends."""
    log_probs = posteriors([length], 8, seed)[0].index_fill(1, torch.tensor(EOS), -torch.inf)
    log_probs = torch.log_softmax(log_probs, dim=1)
    possible = [n for n in range(len(tokens) + 1) if likelihood(log_probs, tokens[:n]) > -torch.inf]
    for number, row in enumerate(Silent(8).follow(log_probs, length, tokens)):
        if number in possible:
            assert row[PAD] == -torch.inf
            assert row.logsumexp(0).item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("spread", [1.0, 8.0])
def test_hundreds_of_labels_over_a_thousand_steps(spread: float) -> None:
    """Log-likelihoods of minus thousands, to the last digits; labels come twice now and then."""
    log_probs = posteriors([1200], 12, 3, spread)[0].double()
    draw = torch.Generator().manual_seed(4)
    tokens = torch.randint(3, 12, (300,), generator=draw).tolist()
    rows = Silent(12).follow(log_probs, 1200, tokens)
    chosen = [row[token].item() for row, token in zip(rows, [*tokens, EOS], strict=True)]
    expected = likelihood(log_probs, tokens)
    assert expected < -1000
    assert sum(chosen) == pytest.approx(expected, abs=1e-6)


def test_a_prefix_that_fills_all_steps_can_only_end() -> None:
    """Two steps hold two different labels and nothing more; the same label twice does not fit."""
    log_probs = posteriors([2], 5, 0)[0]
    _, one, two = Silent(5).follow(log_probs, 2, [3, 4])
    assert one[3] == -torch.inf
    assert one[4] > -torch.inf
    assert two.isinf().tolist() == [True, True, False, True, True]
    assert two[EOS].item() == pytest.approx(0.0, abs=1e-6)


def test_posteriors_are_left_as_they_are() -> None:
    for dtype in (torch.float32, torch.float64):
        log_probs = posteriors([4], 6, 0)[0].to(dtype)
        before = log_probs.clone()
        Silent(6).follow(log_probs, 4, [3, 4])
        assert torch.equal(log_probs, before)
