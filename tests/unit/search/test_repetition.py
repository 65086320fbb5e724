"""The guard against a count by hand of what comes again and again."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.search import SearchOptions, search, without_loops
from tests.unit.search.toy import BOS, EOS, PAD, Toy, ToyState

TOKENS = st.lists(st.integers(3, 5), max_size=14)


def repetitions(tokens: Sequence[int], count: int) -> int:
    """How many times in a row the last `count` tokens stand at the end."""
    times = 0
    while (end := len(tokens) - times * count) >= count and tokens[end - count : end] == tokens[len(tokens) - count :]:
        times += 1
    return times


def forbidden(tokens: list[int], limit: int, longest: int) -> list[int]:
    """What must not follow the tokens."""
    spoken = [(token, [*tokens, token]) for token in range(3, 6)]
    lengths = range(1, longest + 1)
    return [token for token, after in spoken if any(repetitions(after, n) > limit for n in lengths)]


def follow(rows: list[list[int]], limit: int, longest: int) -> tuple[Tensor, Tensor]:
    """Scores (N, V) after rows of equally many tokens, guarded and not."""
    toy = Toy(6, seed=1)
    step, state = without_loops(toy.step, toy.start(range(len(rows))), limit, longest)
    inner = toy.start(range(len(rows)))
    for tokens in torch.tensor([[BOS, *row] for row in rows]).t():
        scores, state = step(state, tokens)
        expected, inner = toy.step(inner, tokens)
    return scores, expected


@settings(max_examples=150)
@given(TOKENS, st.integers(1, 3), st.integers(1, 4))
def test_what_would_come_once_too_often_and_nothing_else(tokens: list[int], limit: int, longest: int) -> None:
    scores, expected = follow([tokens], limit, longest)
    wrong = forbidden(tokens, limit, longest)
    assert torch.equal(scores, expected.index_fill(1, torch.tensor(wrong, dtype=torch.long), -torch.inf))


@pytest.mark.parametrize(
    ("tokens", "wrong"),
    [
        ([3, 3, 3, 3], [3]),
        ([4, 3, 3, 3], []),
        ([3, 4, 3, 4, 3, 4, 3, 4, 3], [4]),
        ([3, 4, 3, 4, 3, 4, 3, 4], []),
        ([3, 4, 5, 5, 3, 4] * 4, []),
        ([*[3, 4, 5, 5, 3, 4] * 4, 3, 4, 5, 5, 3], [4]),
        ([*[3, 4, 5, 3, 3, 4, 5, 4, 5] * 4, 3, 4, 5, 3, 3, 4, 5, 4], []),
    ],
)
def test_four_times_of_up_to_eight_tokens_by_default(tokens: list[int], wrong: list[int]) -> None:
    """A loop of nine is longer than the guard looks."""
    toy = Toy(6, seed=1)
    step, state = without_loops(toy.step, toy.start([0]))
    for token in [BOS, *tokens]:
        scores, state = step(state, torch.tensor([token]))
    assert (scores[0] == -torch.inf).nonzero().flatten().tolist() == wrong


def test_rows_have_histories_of_their_own_and_take_them_along() -> None:
    toy = Toy(6, seed=1)
    step, state = without_loops(toy.step, toy.start([0, 1]), limit=2)
    for tokens in ([BOS, BOS], [3, 4], [3, 5]):
        scores, state = step(state, torch.tensor(tokens))
    assert scores.isinf().any(1).tolist() == [True, False]
    state = state.reorder(torch.tensor([1, 0, 0]))
    scores, state = step(state, torch.tensor([5, 4, 3]))
    assert scores.isinf().tolist() == [[token == last for token in range(6)] for last in (5, -1, 3)]
    assert state.attention is not None and len(state.attention) == 3


class Stuck:
    """A model that always says 3, or 4 when it must not, and hardly ever ends."""

    def step(self, state: ToyState, tokens: Tensor) -> tuple[Tensor, ToyState]:
        """See `s2s.search.Step`."""
        return torch.tensor([0.0, 0.0, 0.001, 0.9, 0.099]).log().repeat(len(tokens), 1), state

    @property
    def start(self) -> ToyState:
        """One segment."""
        return ToyState(torch.zeros(1, 1))


def test_a_search_leaves_a_loop_only_with_the_guard() -> None:
    """After 3 3 4 3 3 4 3 3 neither 3 nor 4 may follow, and only the end is left."""
    stuck, bound, greedy = Stuck(), torch.tensor([9]), SearchOptions(1)
    ((free,),) = search(stuck.step, stuck.start, bound, greedy, BOS, EOS, never=(PAD, BOS))
    ((guarded,),) = search(*without_loops(stuck.step, stuck.start, limit=2), bound, greedy, BOS, EOS, never=(PAD, BOS))
    assert free.tokens == [3] * 9
    assert (guarded.tokens, guarded.finished) == ([3, 3, 4, 3, 3, 4, 3, 3], True)
