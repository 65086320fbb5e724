"""Pooling leaves padding out, and each kind of it is what its name says."""

import torch

from s2s.nn.encoder import Encoded
from s2s.nn.heads import PooledHead, pool

VALUES = torch.tensor([[[1.0, -5.0], [3.0, -1.0], [0.0, 0.0]], [[2.0, -2.0], [4.0, -4.0], [6.0, -3.0]]])
MASK = torch.tensor([[True, True, False], [True, True, True]])
ENCODED = Encoded(VALUES, MASK, torch.tensor([[3.0, -5.0], [6.0, -2.0]]))


def test_the_mean_is_over_real_steps() -> None:
    assert pool(ENCODED, "mean").tolist() == [[2.0, -3.0], [4.0, -3.0]]


def test_the_largest_is_of_real_steps() -> None:
    """Padding, which is zero, would be larger than what is negative."""
    assert pool(ENCODED, "max").tolist() == [[3.0, -1.0], [6.0, -2.0]]


def test_the_last_is_that_of_each_direction() -> None:
    assert pool(ENCODED, "last") is ENCODED.last


def test_a_head_maps_what_is_pooled() -> None:
    head = PooledHead(2, 3, "max", dropout=0.0)
    torch.testing.assert_close(head(ENCODED), head.project(torch.tensor([[3.0, -1.0], [6.0, -2.0]])))
