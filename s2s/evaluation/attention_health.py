"""Whether attention has learnt to look somewhere: how sharp it is, and whether it moves along the source."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class AttentionHealth:
    """Means over target tokens, or their sums.

    `focus` is the largest weight of a token (the focus rate of Ren et al. 2019, arXiv:1905.09263): 1 when it looks at
    one step, near 0 when attention is flat. `diagonality` is the correlation between a token's place in the target and
    the place that it looks at in the source: 1 for speech that is read in order. `coverage` is the share of the
    source's steps that get at least half of what they would get from flat attention.
    """

    focus: float = 0.0
    diagonality: float = 0.0
    coverage: float = 0.0


def attention_health(weights: Tensor, source_lengths: Tensor, target_lengths: Tensor) -> AttentionHealth:
    """Sums over the real target tokens of a batch: weights (B, T, S) with the lengths (B) of sources and targets."""
    target = torch.arange(weights.shape[1], device=weights.device)
    real = (target < target_lengths.unsqueeze(1)).to(weights.dtype)
    focus = (weights.amax(2) * real).sum()
    source = torch.arange(weights.shape[2], device=weights.device)
    correlation = _correlation(target.to(weights.dtype).expand_as(real), weights @ source.to(weights.dtype), real)
    given = (weights * real.unsqueeze(2)).sum(1)
    flat = target_lengths / source_lengths
    covered = ((given >= 0.5 * flat.unsqueeze(1)) & (source < source_lengths.unsqueeze(1))).sum(1) / source_lengths
    sums = (focus, (correlation * target_lengths).sum(), (covered * target_lengths).sum())
    return AttentionHealth(*(value.item() for value in sums))


def _correlation(one: Tensor, other: Tensor, real: Tensor) -> Tensor:
    """Pearson's correlation (B) of two sequences (B, T) at real places; 0 where one of them does not vary."""
    count = real.sum(1, keepdim=True)
    one, other = ((part - (part * real).sum(1, keepdim=True) / count) * real for part in (one, other))
    scale = (one.square().sum(1) * other.square().sum(1)).sqrt()
    return torch.where(scale > 1e-6, (one * other).sum(1) / scale.clamp(min=1e-6), 0.0)
