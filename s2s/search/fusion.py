"""Shallow fusion: the scores of another model of the same vocabulary, a language model mostly, join those of a step."""

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from s2s.search.hypothesis import AnyState, State, Step

NEVER = float("-inf")

OtherState = TypeVar("OtherState", bound=State)


@dataclass(frozen=True)
class FusedState(Generic[AnyState, OtherState]):
    """The states of both steps."""

    inner: AnyState
    other: OtherState

    @property
    def attention(self) -> Tensor | None:
        """Weights (N, S) over the source at the last step, if the first model has any."""
        return self.inner.attention

    def reorder(self, index: Tensor) -> "FusedState[AnyState, OtherState]":
        """The state of the given rows (N'), in their order; rows may be dropped or come several times."""
        return FusedState(self.inner.reorder(index), self.other.reorder(index))


def fused_step(
    step: Step[AnyState], state: AnyState, other_step: Step[OtherState], other_state: OtherState, weight: float
) -> tuple[Step[FusedState[AnyState, OtherState]], FusedState[AnyState, OtherState]]:
    """A step and its first state whose scores are those of `step` plus `weight` times those of `other_step`.

    Gulcehre et al. 2015, "On Using Monolingual Corpora in Neural Machine Translation", arXiv:1503.03535, section 4.1.
    Both states have one row per segment. With a weight of 0 the scores of `step` stay as they are; else what either
    model excludes is excluded, and so is what is NaN to the other.
    """
    assert 0 <= weight < math.inf, "the search counts on scores that only fall"

    def fused(
        state: FusedState[AnyState, OtherState], tokens: Tensor
    ) -> tuple[Tensor, FusedState[AnyState, OtherState]]:
        scores, inner = step(state.inner, tokens)
        others, other = other_step(state.other, tokens)
        if weight > 0:  # in float32 the least weights are 0, and 0 times -inf is NaN
            scores = scores + torch.where(others > NEVER, weight * others, NEVER).to(scores.dtype)
        return scores, FusedState(inner, other)

    return fused, FusedState(state, other_state)
