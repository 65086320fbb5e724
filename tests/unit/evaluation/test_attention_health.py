"""Attention health of weights whose values can be read off."""

import pytest
import torch

from s2s.evaluation.attention_health import attention_health


def test_a_straight_sharp_line() -> None:
    weights = torch.eye(6)[None, :, :]
    health = attention_health(weights, torch.tensor([6]), torch.tensor([6]))
    assert health.focus / 6 == pytest.approx(1.0)
    assert health.diagonality / 6 == pytest.approx(1.0)
    assert health.coverage / 6 == pytest.approx(1.0)


def test_backwards() -> None:
    weights = torch.eye(6).flip(1)[None, :, :]
    assert attention_health(weights, torch.tensor([6]), torch.tensor([6])).diagonality / 6 == pytest.approx(-1.0)


def test_flat_attention_is_neither_sharp_nor_straight() -> None:
    health = attention_health(torch.full((1, 4, 10), 0.1), torch.tensor([10]), torch.tensor([4]))
    assert health.focus / 4 == pytest.approx(0.1)
    assert health.diagonality == 0.0


def test_looking_at_one_place_covers_one_step() -> None:
    weights = torch.zeros(1, 4, 10)
    weights[:, :, 3] = 1.0
    assert attention_health(weights, torch.tensor([10]), torch.tensor([4])).coverage / 4 == pytest.approx(0.1)


def test_padding_counts_for_nothing() -> None:
    weights = torch.zeros(2, 6, 8)
    weights[0, :3, :3] = torch.eye(3)
    weights[0, 3:, 7] = 1.0
    weights[1, :, :6] = torch.eye(6)
    both = attention_health(weights, torch.tensor([3, 6]), torch.tensor([3, 6]))
    assert (both.focus, both.diagonality) == (pytest.approx(9.0), pytest.approx(9.0))
    assert both.coverage == pytest.approx(9.0)
