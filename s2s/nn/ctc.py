"""Connectionist temporal classification (Graves et al. 2006): labels read off the encoder alone, a blank between them.

A path gives each step a label or the blank; its labels are what is left when neighbours that are equal are made one
and blanks are taken out.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class CtcHead(nn.Module):
    """An affine map from the memory to scores over the vocabulary, the blank among them."""

    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, vocabulary)

    def forward(self, memory: Tensor) -> Tensor:
        """Memory (B, S, D) to logits (B, S, V)."""
        logits: Tensor = self.project(memory)
        return logits


def ctc_loss(logits: Tensor, lengths: Tensor, labels: Tensor, label_lengths: Tensor, blank: int) -> Tensor:
    """The negative log-likelihood in nats of labels (B, T) of which the first `label_lengths` (B) are real, summed.

    Logits (B, S, V) of which the first `lengths` (B) steps are real; what stands beyond either length has no effect.
    A segment with fewer steps than `steps_needed` makes the loss infinite and its gradient NaN.
    """
    log_probs = torch.log_softmax(logits.float(), dim=2).transpose(0, 1)
    return functional.ctc_loss(log_probs, labels, lengths, label_lengths, blank, reduction="sum")


def steps_needed(labels: Sequence[int]) -> int:
    """The fewest steps that can spell the labels: one for each, and a blank between two neighbours that are equal."""
    return len(labels) + sum(label == following for label, following in pairwise(labels))


def best_path(log_probs: Tensor, lengths: Tensor, blank: int) -> list[list[int]]:
    """The labels of the likeliest path of each segment: log-probabilities (B, S, V) with their lengths (B)."""
    path = log_probs.argmax(2)
    before = functional.pad(path[:, :-1], (1, 0), value=blank)
    real = torch.arange(path.shape[1], device=path.device) < lengths.unsqueeze(1)
    kept = real & (path != before) & (path != blank)
    rows = zip(path.cpu(), kept.cpu(), strict=True)
    return [row[chosen].tolist() for row, chosen in rows]
