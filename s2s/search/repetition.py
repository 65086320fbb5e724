"""A guard against loops: decoding by attention alone may say the same words again and again until its bound."""

from dataclasses import dataclass
from typing import Generic

import torch
from torch import Tensor

from s2s.search.hypothesis import AnyState, Step

NEVER = float("-inf")
NOTHING = -1


@dataclass(frozen=True)
class GuardedState(Generic[AnyState]):
    """The state of the step that is guarded, and of each row what a loop is known by.

    `recent` (N, W) are its last tokens, the newest first, and `runs` (N, W) how many of the newest tokens in a row are
    the same as those 1, 2, ... W places before them; both are None before the first step.
    """

    inner: AnyState
    recent: Tensor | None = None
    runs: Tensor | None = None

    @property
    def attention(self) -> Tensor | None:
        """Weights (N, S) over the source at the last step, if the model has any."""
        return self.inner.attention

    def reorder(self, index: Tensor) -> "GuardedState[AnyState]":
        """The state of the given rows (N'), in their order; rows may be dropped or come several times."""
        assert self.recent is not None and self.runs is not None
        return GuardedState(self.inner.reorder(index), self.recent[index], self.runs[index])


def without_loops(
    step: Step[AnyState], state: AnyState, limit: int = 4, longest: int = 8
) -> tuple[Step[GuardedState[AnyState]], GuardedState[AnyState]]:
    """A step and its first state that never say the same n tokens more than `limit` times in a row, n up to `longest`.

    The token that would complete one time too many gets -inf; all other scores stay as they are. This is a rule of
    thumb: by default a fifth zero in a row, should someone really say it, is lost.
    """
    assert limit >= 1 and longest >= 1
    bounds = limit * torch.arange(1, longest + 1) - 1

    def guarded(state: GuardedState[AnyState], tokens: Tensor) -> tuple[Tensor, GuardedState[AnyState]]:
        scores, inner = step(state.inner, tokens)
        if state.recent is None or state.runs is None:  # BOS is nothing that was said
            recent = torch.full((len(tokens), longest), NOTHING, device=tokens.device)
            runs = recent
        else:
            newest = tokens.unsqueeze(1)
            runs = torch.where(state.recent == newest, state.runs + 1, 0)
            recent = torch.cat([newest, state.recent[:, :-1]], dim=1)
        # One time too many would make a run of limit * n: the token n places back must not come now.
        full = runs >= bounds.to(tokens.device)
        penalties = torch.zeros_like(runs, dtype=scores.dtype).masked_fill(full, NEVER)
        return scores.scatter_add(1, recent.clamp(min=0), penalties), GuardedState(inner, recent, runs)

    return guarded, GuardedState(state)
