"""Shallow fusion against brute force over both models, alone and beside CTC and the guard against loops."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.search import Hypothesis, SearchOptions, fused_step, joint_step, search, without_loops
from tests.unit.search.toy import BOS, EOS, PAD, Toy, ToyState, likelihood, posteriors

FEW = settings(max_examples=20)
SEEDS = st.integers(0, 10_000)
WEIGHTS = st.sampled_from([0.1, 0.5, 2.0])
NEVER = float("-inf")


class Language(Toy):
    """A model that looks at nothing; its state depends on all tokens, and it starts like segment 0 in each row."""

    def begin(self, rows: int) -> ToyState:
        """The state before the first step."""
        return self.start([0] * rows)

    def step(self, state: ToyState, tokens: Tensor) -> tuple[Tensor, ToyState]:
        """See `s2s.search.Step`."""
        log_probs, state = super().step(state, tokens)
        return log_probs, replace(state, attention=None)


class Fixed:
    """Says the same after every token."""

    def __init__(self, log_probs: Sequence[float]) -> None:
        self.log_probs = torch.tensor(log_probs)

    def step(self, state: ToyState, tokens: Tensor) -> tuple[Tensor, ToyState]:
        """See `s2s.search.Step`."""
        return self.log_probs.repeat(len(tokens), 1), state


def models(seed: int, vocabulary: int = 7) -> tuple[Toy, Language]:
    return Toy(vocabulary, seed), Language(vocabulary, seed + 1)


def run(
    toy: Toy, language: Language, segments: Sequence[int], limit: int, weight: float, options: SearchOptions
) -> list[list[Hypothesis]]:
    """The fused search under test."""
    step, state = fused_step(toy.step, toy.start(segments), language.step, language.begin(len(segments)), weight)
    return search(step, state, torch.tensor([limit] * len(segments)), options, BOS, EOS, never=(PAD, BOS))


def fused(toy: Toy, language: Language, segment: int, tokens: Sequence[int], weight: float) -> list[float]:
    """The score of each token of a sequence and of its end, from the models alone."""
    both = toy.log_probs(segment, [*tokens, EOS]), language.log_probs(0, [*tokens, EOS])
    return [one + weight * other for one, other in zip(*both, strict=True)]


@FEW
@given(SEEDS, WEIGHTS, st.sampled_from([0.0, 1.0]))
def test_a_full_beam_is_brute_force(seed: int, weight: float, penalty: float) -> None:
    toy, language = models(seed, vocabulary=6)
    every = [list(tokens) for count in range(4) for tokens in product((3, 4, 5), repeat=count)]
    for segment, found in enumerate(run(toy, language, [0, 1], 3, weight, SearchOptions(200, penalty, 5))):
        scored = [(sum(fused(toy, language, segment, one, weight)) / (len(one) + 1) ** penalty, one) for one in every]
        expected = sorted(scored, reverse=True)[:5]
        assert [one.tokens for one in found] == [tokens for _, tokens in expected]
        assert [one.score for one in found] == pytest.approx([score for score, _ in expected], abs=1e-5)


@FEW
@given(SEEDS, WEIGHTS, st.integers(1, 5))
def test_reported_scores_are_sums_over_both(seed: int, weight: float, beam: int) -> None:
    """Of rows that change their places; the alignment is the first model's."""
    toy, language = models(seed)
    for segment, found in enumerate(run(toy, language, range(4), 8, weight, SearchOptions(beam, 1.0, beam))):
        for one in found:
            expected = fused(toy, language, segment, one.tokens, weight)[: len(one.log_probs)]
            assert one.log_probs == pytest.approx(expected, abs=1e-5)
            assert one.alignment == toy.alignment(segment, one.tokens)


def test_a_weight_of_zero_leaves_scores_as_they_are() -> None:
    """Also where the other model excludes everything."""
    for other in (Language(7, 2), Fixed([NEVER] * 7), Fixed([float("nan")] * 7)):
        toy = Toy(7, seed=1)
        step, state = fused_step(toy.step, toy.start([0, 1]), other.step, Language(7, 2).begin(2), 0.0)
        inner = toy.start([0, 1])
        for tokens in (torch.tensor([BOS, BOS]), torch.tensor([4, 5])):
            scores, state = step(state, tokens)
            expected, inner = toy.step(inner, tokens)
            assert torch.equal(scores, expected)
            assert state.attention is not None and inner.attention is not None
            assert torch.equal(state.attention, inner.attention)


@pytest.mark.parametrize("weight", [0.0, 1e-60, 1e-30, 0.5, 1e30])
def test_what_one_excludes_is_excluded_and_never_nan(weight: float) -> None:
    """A weight of 1e-60 is 0 in float32."""
    one, other = Fixed([-1.0, NEVER, -2.0, NEVER, -3.0]), Fixed([-1.0, -1.0, NEVER, NEVER, float("nan")])
    empty = ToyState(torch.zeros(1, 1))
    step, state = fused_step(one.step, empty, other.step, empty, weight)
    scores, _ = step(state, torch.tensor([BOS]))
    if weight:
        assert scores[0].tolist() == [pytest.approx(-1.0 - weight, rel=1e-6), *[NEVER] * 4]
    else:
        assert scores[0].tolist() == [-1.0, NEVER, -2.0, NEVER, -3.0]


@pytest.mark.parametrize("weight", [-0.1, float("inf"), float("nan")])
def test_a_weight_that_would_let_scores_rise_is_refused(weight: float) -> None:
    toy, language = models(1)
    with pytest.raises(AssertionError, match="only fall"):
        fused_step(toy.step, toy.start([0]), language.step, language.begin(1), weight)


@pytest.mark.parametrize("inside", [True, False], ids=["fused inside CTC", "CTC inside fused"])
@FEW
@given(SEEDS, st.lists(st.integers(2, 12), min_size=1, max_size=4), st.integers(1, 4), WEIGHTS)
def test_it_goes_with_ctc(inside: bool, seed: int, lengths: list[int], beam: int, weight: float) -> None:
    """Either way the score of a hypothesis is the weighted sum of three models; CTC's share is 0.3."""
    toy, language = models(seed, vocabulary=9)
    log_probs, segments = posteriors(lengths, 9, seed), range(len(lengths))
    beginning, ctc = language.begin(len(lengths)), (log_probs, torch.tensor(lengths), 0.3, PAD, EOS)
    if inside:
        step, state = joint_step(*fused_step(toy.step, toy.start(segments), language.step, beginning, weight), *ctc)
    else:
        step, state = fused_step(*joint_step(toy.step, toy.start(segments), *ctc), language.step, beginning, weight)
    limits, options = torch.full((len(lengths),), 9), SearchOptions(beam, 1.0, beam)
    for segment, found in enumerate(search(step, state, limits, options, BOS, EOS, never=(PAD, BOS))):
        for one in (hypothesis for hypothesis in found if hypothesis.finished):
            spoken = [*one.tokens, EOS]
            attention, other = sum(toy.log_probs(segment, spoken)), sum(language.log_probs(0, spoken))
            heard = likelihood(log_probs[segment, : lengths[segment]], one.tokens)
            share = 0.7 if inside else 1.0
            assert one.log_prob == pytest.approx(0.7 * attention + share * weight * other + 0.3 * heard, abs=1e-4)


def test_the_guard_against_loops_goes_around_it_and_within() -> None:
    """Both models always say 3, or 4 when they must not."""
    stuck, empty = Fixed([NEVER, NEVER, -7.0, -0.1, -2.3]), ToyState(torch.zeros(1, 1))
    bound, greedy = torch.tensor([9]), SearchOptions(1)
    around = without_loops(*fused_step(stuck.step, empty, stuck.step, empty, 0.5), limit=2)
    within = fused_step(*without_loops(stuck.step, empty, limit=2), stuck.step, empty, 0.5)
    for step, state in (around, within):
        ((found,),) = search(step, state, bound, greedy, BOS, EOS, never=(PAD, BOS))
        assert (found.tokens, found.finished) == ([3, 3, 4, 3, 3, 4, 3, 3], True)
        assert found.log_prob == pytest.approx(1.5 * (-0.1 * 6 - 2.3 * 2 - 7.0))
