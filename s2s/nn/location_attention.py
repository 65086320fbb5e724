"""Attention that knows where it looked last."""

import torch
from torch import Tensor, nn

from s2s.nn.attention import attend

FILTERS = 10
"""Features of a place, as many as Chorowski et al. take."""

REACH = 15
"""Places to either side that a filter sees: of frames of 10 ms, four to a place, 0.6 s."""


class LocationAwareAttention(nn.Module):
    """score = v . tanh(U query + W memory + L f), where f are filters over the weights of the step before.

    Chorowski et al. 2015, arXiv:1506.07503, section 2.2. Before the first step nothing has been looked at: those
    weights are zero, and the score is that of additive attention.
    """

    def __init__(self, query_width: int, memory_width: int, width: int) -> None:
        super().__init__()
        self.context_width = memory_width
        self.query = nn.Linear(query_width, width, bias=False)
        self.key = nn.Linear(memory_width, width)
        self.filters = nn.Conv1d(1, FILTERS, kernel_size=2 * REACH + 1, padding=REACH, bias=False)
        self.place = nn.Linear(FILTERS, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def prepare(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys (B, S, A) and the memory itself."""
        return self.key(memory), memory

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, previous: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `Attention`; each query (B, T, H) comes with its own weights of the step before."""
        energy = self.query(queries).unsqueeze(2) + keys.unsqueeze(1)
        if previous is not None:
            places = self.filters(previous.flatten(0, 1).unsqueeze(1)).unflatten(0, previous.shape[:2])
            energy = energy + self.place(places.transpose(2, 3))
        return attend(self.score(torch.tanh(energy)).squeeze(3), values, mask)
