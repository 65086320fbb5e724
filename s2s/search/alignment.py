"""Where in the source each label of a given sequence stands: on the likeliest CTC path that spells it (Viterbi).

The path goes through states: 2n + 1 is the label n, the even ones are blanks before, between and after labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

NEVER = float("-inf")


@dataclass(frozen=True)
class Span:
    """The steps [start, end) of one label; `confidence` is the mean probability that CTC gives the label there."""

    start: int
    end: int
    confidence: float


def align(log_probs: Tensor, labels: Sequence[int], blank: int) -> list[Span]:
    """One span for each label, in order.

    `log_probs` (S, V) are CTC's, without padding. ValueError: no path spells the labels in so few steps.
    """
    needed = len(labels) + sum(label == following for label, following in pairwise(labels))
    if needed > len(log_probs):
        raise ValueError(f"{len(labels)} labels cannot be spelt in {len(log_probs)} steps: they need {needed}.")
    if not labels:
        return []
    log_probs = log_probs.detach().cpu().double()
    path = _best_path(log_probs, labels, blank)
    numbers = 2 * torch.arange(len(labels)) + 1
    starts, ends = torch.searchsorted(path, numbers), torch.searchsorted(path, numbers, right=True)
    return [
        Span(start, end, log_probs[start:end, label].exp().mean().item())
        for start, end, label in zip(starts.tolist(), ends.tolist(), labels, strict=True)
    ]


def _best_path(log_probs: Tensor, labels: Sequence[int], blank: int) -> Tensor:
    """The state (S) at each step; it never falls."""
    states = torch.full((2 * len(labels) + 1,), blank)
    states[1::2] = torch.tensor(labels)
    # A blank between two labels can be left out unless they are equal, as they would become one.
    skips = torch.zeros(len(states), dtype=torch.bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    emissions = log_probs[:, states]
    best = emissions[0].clone()
    best[2:] = NEVER
    moves = []
    for emission in emissions[1:]:
        stay, one, two = (
            best,
            functional.pad(best[:-1], (1, 0), value=NEVER),
            functional.pad(best[:-2], (2, 0), value=NEVER),
        )
        best, move = torch.stack([stay, one, two.masked_fill(~skips, NEVER)]).max(0)
        best = best + emission
        moves.append(move)
    assert best[-2:].amax() > NEVER, "CTC gives the labels no probability at all"
    path = [len(states) - 1 if best[-1] > best[-2] else len(states) - 2]
    for move in reversed(moves):
        path.append(path[-1] - int(move[path[-1]]))
    return torch.tensor(path[::-1])
