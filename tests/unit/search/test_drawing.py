"""Sampling draws each token with its probability, and what is drawn for a row depends on nothing else."""

import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from s2s.search import SamplingOptions, sample
from s2s.search.sampling import draw

EOS, SIZE = 2, 6
LOG_PROBS = torch.log_softmax(torch.tensor([[0.3, -1.0, 0.5, 2.0, 1.0, -0.5]]), dim=1)


@dataclass(frozen=True)
class Told:
    """A state that remembers the last token of each row."""

    last: Tensor

    @property
    def attention(self) -> None:
        return None

    def reorder(self, index: Tensor) -> "Told":
        return Told(self.last[index])


def step(state: Told, tokens: Tensor) -> tuple[Tensor, Told]:
    """What follows depends on the last token."""
    scores = torch.stack([torch.roll(LOG_PROBS[0], int(token)) for token in tokens])
    return scores, Told(tokens)


def places(count: int) -> Tensor:
    return (torch.arange(count, dtype=torch.float64) + 0.5) / count


def shares(options: SamplingOptions, count: int = 10_000) -> Tensor:
    """How often each token comes at evenly spaced places."""
    found = draw(LOG_PROBS.expand(count, -1), places(count), options)
    return torch.bincount(found, minlength=SIZE) / count


def test_each_token_comes_with_its_probability() -> None:
    torch.testing.assert_close(shares(SamplingOptions()), LOG_PROBS[0].exp(), atol=1e-3, rtol=0)


def test_a_low_temperature_makes_the_likely_likelier() -> None:
    expected = torch.softmax(LOG_PROBS[0] / 0.5, dim=0)
    torch.testing.assert_close(shares(SamplingOptions(temperature=0.5)), expected, atol=1e-3, rtol=0)
    assert shares(SamplingOptions(temperature=1e-3))[3] == 1


def test_top_k_leaves_the_likeliest() -> None:
    expected = torch.zeros(SIZE)
    expected[[3, 4]] = torch.softmax(torch.tensor([2.0, 1.0]), dim=0)
    torch.testing.assert_close(shares(SamplingOptions(top_k=2)), expected, atol=1e-3, rtol=0)
    assert shares(SamplingOptions(top_k=1))[3] == 1
    torch.testing.assert_close(shares(SamplingOptions(top_k=100)), LOG_PROBS[0].exp(), atol=1e-3, rtol=0)


def test_top_p_leaves_the_likeliest_that_reach_it() -> None:
    probabilities = LOG_PROBS[0].exp()
    two = float(probabilities[3] + probabilities[4])
    for top_p, kept in (
        (0.01, [3]),
        (float(probabilities[3]) + 1e-4, [3, 4]),
        (two + 1e-4, [3, 4, 2]),
        (1.0, range(6)),
    ):
        expected = torch.zeros(SIZE)
        expected[list(kept)] = probabilities[list(kept)] / probabilities[list(kept)].sum()
        torch.testing.assert_close(shares(SamplingOptions(top_p=top_p)), expected, atol=1e-3, rtol=0)


def test_what_is_impossible_never_comes() -> None:
    log_probs = LOG_PROBS.clone()
    log_probs[0, [0, 3]] = -math.inf
    ends = torch.tensor([0.0, 1 - 1e-16], dtype=torch.float64)
    found = draw(log_probs.expand(1002, -1), torch.cat([places(1000), ends]), SamplingOptions())
    assert set(found.tolist()) == {1, 2, 4, 5}


def run(draws: Tensor, limits: list[int], first: list[int]) -> list[tuple[list[int], list[float], bool]]:
    tokens = torch.tensor(first)
    never = torch.tensor([[0, 1]]).expand(len(limits), -1)
    found = sample(step, Told(tokens), tokens, torch.tensor(limits), draws, SamplingOptions(), 0.0, EOS, never)
    return [(one.tokens, one.log_probs, one.finished) for one in found]


def test_rows_do_not_depend_on_each_other() -> None:
    draws = torch.rand(5, 21, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    limits, first = [20, 3, 20, 1, 20], [1, 3, 4, 5, 3]
    together = run(draws, limits, first)
    assert len({len(tokens) for tokens, _, _ in together}) > 2
    for row in range(5):
        assert run(draws[row : row + 1], limits[row : row + 1], first[row : row + 1]) == [together[row]]
    for (tokens, log_probs, finished), limit, start in zip(together, limits, first, strict=True):
        assert len(tokens) <= limit
        assert not {0, 1, EOS} & set(tokens)
        said = [start, *tokens, *([EOS] if finished else [])]
        expected = [torch.roll(LOG_PROBS[0], before)[after].item() for before, after in pairwise(said)]
        assert log_probs == pytest.approx(expected)


def test_each_row_has_tokens_of_its_own_that_never_come() -> None:
    draws = torch.rand(3, 51, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    never = torch.tensor([[0, EOS, 0], [4, EOS, 5], [3, EOS, 3]])
    tokens = torch.full((3,), 1)
    found = sample(step, Told(tokens), tokens, torch.full((3,), 50), draws, SamplingOptions(), 0.0, EOS, never)
    for one, ids in zip(found, never.tolist(), strict=True):
        assert len(one.tokens) == 50
        assert set(one.tokens) == set(range(SIZE)) - set(ids)
