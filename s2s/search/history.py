"""What the search did at each step, and the reading of hypotheses from their last token back to their first."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ends:
    """Where the best hypotheses of each segment end, best first: score, cell, and number of steps, all (B, n).

    A score of -inf is an empty place.
    """

    scores: Tensor
    cells: Tensor
    steps: Tensor

    @classmethod
    def none(cls, segments: int, count: int, device: torch.device) -> "Ends":
        """No ends yet, with room for `count` of each segment."""
        zeros = torch.zeros(segments, count, dtype=torch.long, device=device)
        return cls(torch.full((segments, count), float("-inf"), device=device), zeros, zeros)

    def merge(self, scores: Tensor, step: int) -> "Ends":
        """The best of these and of new ones, one per cell of each segment (B, K); of equals the older comes first."""
        cells = torch.arange(scores.numel(), device=scores.device).view_as(scores)
        scores, order = torch.cat([self.scores, scores], dim=1).sort(dim=1, descending=True, stable=True)
        count = self.scores.shape[1]
        order = order[:, :count]
        steps = torch.cat([self.steps, torch.full_like(cells, step)], dim=1).gather(1, order)
        return Ends(scores[:, :count], torch.cat([self.cells, cells], dim=1).gather(1, order), steps)

    def then(self, others: "Ends") -> tuple["Ends", Tensor]:
        """As many places, filled from these and after them from others; also which (B, n) come from these."""
        scores = torch.cat([self.scores, others.scores], dim=1)
        count = self.scores.shape[1]
        order = (scores > float("-inf")).byte().sort(dim=1, descending=True, stable=True).indices[:, :count]
        cells = torch.cat([self.cells, others.cells], dim=1).gather(1, order)
        steps = torch.cat([self.steps, others.steps], dim=1).gather(1, order)
        return Ends(scores.gather(1, order), cells, steps), order < count


class History:
    """The token, log-probability, parent and alignment of each cell (B * K) at each step."""

    def __init__(self) -> None:
        self._steps: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, tokens: Tensor, log_probs: Tensor, alignment: Tensor, parents: Tensor) -> None:
        """Keep a step; `parents` are cells of the step before."""
        self._steps.append((tokens, log_probs, alignment, parents))

    def read(self, ends: Ends) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens, log-probabilities and alignment that lead to each end, all (B, n, T); void beyond its steps."""
        cells = ends.cells
        columns = []
        for step in range(len(self), 0, -1):
            *kept, parents = self._steps[step - 1]
            columns.append([part[cells] for part in kept])
            cells = torch.where(ends.steps >= step, parents[cells], cells)
        tokens, log_probs, alignment = (torch.stack(part[::-1], dim=2) for part in zip(*columns, strict=True))
        return tokens, log_probs, alignment
