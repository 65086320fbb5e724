"""Rows in a grid with a line for each segment, and back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from s2s.grid import Grid


def test_rows_by_hand() -> None:
    grid = Grid.of(torch.tensor([0, 0, 2, 2, 2]), 4)
    assert grid.width == 3
    spread = grid.spread(torch.tensor([1, 2, 3, 4, 5]))
    assert spread.tolist() == [[1, 2, 0], [0, 0, 0], [3, 4, 5], [0, 0, 0]]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_rows_of_one_segment_are_not_copied(shape: tuple[int, ...]) -> None:
    rows = torch.randn(5, *shape)
    grid = Grid.of(torch.zeros(5, dtype=torch.long), 1)
    assert grid.spread(rows).data_ptr() == rows.data_ptr()
    assert torch.equal(grid.collect(grid.spread(rows)), rows)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(0, 2))
def test_rows_in_any_order_find_their_line_and_come_back(owner: list[int], empty: int) -> None:
    segments = max(owner) + 1 + empty
    grid = Grid.of(torch.tensor(owner), segments)
    rows = torch.arange(1, len(owner) + 1)
    spread = grid.spread(rows)
    assert spread.shape == (segments, max(owner.count(one) for one in owner))
    for segment, line in enumerate(spread.tolist()):
        assert [row for row in line if row] == [n for n, one in enumerate(owner, start=1) if one == segment]
    assert torch.equal(grid.collect(spread * 2), rows * 2)
