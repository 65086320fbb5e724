"""Dropout with one mask over time, and of whole words."""

import pytest
import torch
from torch import nn

from s2s.nn.dropout import LockedDropout, WordDropout

ONES = torch.ones(40, 5, 30)


def test_locked_dropout_has_one_mask_over_time_and_one_per_segment() -> None:
    torch.manual_seed(0)
    dropped = LockedDropout(0.25)(ONES)
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert len(dropped[:, 0].unique(dim=0)) == 40
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.05)


def test_word_dropout_drops_all_features_of_a_word_and_not_the_same_word_everywhere() -> None:
    torch.manual_seed(0)
    dropped = WordDropout(0.25)(ONES)
    assert torch.equal(dropped, dropped[:, :, :1].expand_as(dropped))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    words = dropped[:, :, 0] == 0
    assert words.float().mean().item() == pytest.approx(0.25, abs=0.1)
    assert len(words.unique(dim=0)) > 5


@pytest.mark.parametrize("module", [LockedDropout(0.5), WordDropout(0.5)])
def test_dropout_acts_in_training_only(module: nn.Module) -> None:
    assert torch.equal(module.eval()(ONES), ONES)
    assert not torch.equal(module.train()(ONES), ONES)


@pytest.mark.parametrize("module", [LockedDropout(0.0), WordDropout(0.0)])
def test_a_rate_of_zero_takes_no_random_numbers(module: nn.Module) -> None:
    before = torch.get_rng_state()
    assert torch.equal(module.train()(ONES), ONES)
    assert torch.equal(torch.get_rng_state(), before)
