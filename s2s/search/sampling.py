"""Hypotheses drawn at random, each token with the probability that the model gives it, or from the likeliest alone."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from s2s.errors import UsageError
from s2s.search.greedy import NEVER, follow
from s2s.search.hypothesis import AnyState, Hypothesis, Step

LOWEST = 1e-3
"""Of temperatures; at it all but the likeliest token are out of the question."""


@dataclass(frozen=True)
class SamplingOptions:
    """From what a token is drawn.

    Log-probabilities are divided by `temperature` first: below 1 what is likely becomes likelier. Then only the `top_k`
    likeliest tokens stay (Fan et al. 2018, arXiv:1805.04833), and of these the likeliest that together have at least
    the probability `top_p` (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751).
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0

    def __post_init__(self) -> None:
        """UsageError names an option that is out of its range."""
        if not isinstance(self.temperature, int | float) or not LOWEST <= self.temperature < math.inf:
            raise UsageError(
                f"The temperature must be a number of {LOWEST:g} or more (it is {self.temperature!r}); top_k = 1 is "
                "greedy."
            )
        if self.top_k is not None and (not isinstance(self.top_k, int) or self.top_k < 1):
            raise UsageError(f"top_k must be a whole number of 1 or more (it is {self.top_k!r}).")
        if not isinstance(self.top_p, int | float) or not 0 < self.top_p <= 1:
            raise UsageError(f"top_p must be a number above 0 and at most 1 (it is {self.top_p!r}).")


def sample(
    step: Step[AnyState],
    state: AnyState,
    tokens: Tensor,
    max_lengths: Tensor,
    draws: Tensor,
    options: SamplingOptions,
    length_penalty: float,
    eos: int,
    never: Tensor,
) -> list[Hypothesis]:
    """One hypothesis for each row of `state`, which begins after one of `tokens` (B).

    `draws` (B, T) are uniform in [0, 1), one for each token that may come, T being more than any of `max_lengths`; what
    is drawn for a row depends on nothing else. The tokens `never` (B, K) are not drawn for a row; some may come twice.
    Log-probabilities and scores are the model's own, whatever the options.
    """

    def choose(log_probs: Tensor, rows: Tensor, length: int) -> Tensor:
        return draw(log_probs.scatter_(1, never[rows], NEVER), draws[rows, length], options)

    return follow(step, state, tokens, max_lengths, length_penalty, eos, (), choose)


def draw(log_probs: Tensor, places: Tensor, options: SamplingOptions) -> Tensor:
    """The token (N) at the places (N), from 0 to 1, of what log-probabilities (N, V) leave, the likeliest first."""
    values, order = log_probs.double().sort(dim=1, descending=True, stable=True)
    values, order = values[:, : options.top_k], order[:, : options.top_k]
    probabilities = torch.softmax(values / options.temperature, dim=1)
    sums = probabilities.cumsum(1)
    within = (sums - probabilities < options.top_p) & (probabilities > 0)  # the likeliest always is
    total = torch.where(within, sums, 0.0).amax(1, keepdim=True)
    chosen = (sums <= places.unsqueeze(1) * total).sum(1, keepdim=True)
    last = within.sum(1, keepdim=True) - 1
    return order.gather(1, torch.minimum(chosen, last).clamp(min=0)).squeeze(1)
