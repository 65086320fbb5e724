"""The fast way to the best columns against `topk`."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from s2s.search.top import top


@settings(max_examples=60)
@given(st.integers(1, 4), st.integers(1, 3000), st.integers(1, 8), st.integers(0, 1000))
def test_equals_topk(rows: int, columns: int, count: int, seed: int) -> None:
    """Any width, whether a multiple of the group or not."""
    scores = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    expected = scores.topk(min(count, columns), dim=1)
    values, chosen = top(scores, count)
    assert torch.equal(values, expected.values)
    assert torch.equal(chosen, expected.indices)


@pytest.mark.parametrize("place", [0, 63, 64, 1000, 2047, 2048, 2050])
def test_finds_the_best_anywhere(place: int) -> None:
    """At either edge of a group, and in the columns beyond the last whole group; those around it may follow."""
    scores = torch.zeros(2, 2051)
    scores[:, place] = 5.0
    scores[:, (place + 1) % 2051] = 4.0
    values, chosen = top(scores, 2)
    assert values.tolist() == [[5.0, 4.0]] * 2
    assert chosen.tolist() == [[place, (place + 1) % 2051]] * 2


def test_rows_may_lie_across_memory() -> None:
    """A transposed tensor gives the same."""
    scores = torch.randn(2500, 3, generator=torch.Generator().manual_seed(1)).t()
    assert torch.equal(top(scores, 4)[1], scores.topk(4, dim=1).indices)
