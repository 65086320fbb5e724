"""Attention, pure: queries, keys, values and mask come in as arguments, and nothing is kept."""

from typing import Protocol

import torch
from torch import Tensor, nn


class Attention(Protocol):
    """Keys and values are made once per source; every call after that meets them with queries."""

    context_width: int

    def prepare(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Memory (B, S, D) to keys (B, S, A) and values (B, S, C), or split into heads; rows come first."""

    def __call__(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, previous: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Queries (B, T, H), mask (B, S) True at real positions: contexts (B, T, C) and weights (B, T, S).

        `previous` (B, T, S) are the weights of the step before each query, None before the first. Only a decoder that
        loops over time can tell them, and only attention that knows of places reads them.
        """


def attend(scores: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (B, T, S) to contexts (B, T, C) and weights that are exactly zero at padding."""
    weights = torch.softmax(scores.masked_fill(~mask.unsqueeze(1), float("-inf")), dim=2)
    return weights @ values, weights


class DotAttention(nn.Module):
    """score = query . memory (Luong et al. 2015, arXiv:1508.04025); needs H = D."""

    def __init__(self, memory_width: int) -> None:
        super().__init__()
        self.context_width = memory_width

    def prepare(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """The memory itself, twice."""
        return memory, memory

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, previous: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `Attention`."""
        return attend(queries @ keys.transpose(1, 2), values, mask)


class GeneralAttention(nn.Module):
    """score = query . W memory (Luong et al. 2015); the product W memory is the key."""

    def __init__(self, query_width: int, memory_width: int) -> None:
        super().__init__()
        self.context_width = memory_width
        self.key = nn.Linear(memory_width, query_width, bias=False)

    def prepare(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys (B, S, H) and the memory itself."""
        return self.key(memory), memory

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, previous: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `Attention`."""
        return attend(queries @ keys.transpose(1, 2), values, mask)


class AdditiveAttention(nn.Module):
    """score = v . tanh(U query + W memory) (Bahdanau et al. 2015, arXiv:1409.0473)."""

    def __init__(self, query_width: int, memory_width: int, width: int) -> None:
        super().__init__()
        self.context_width = memory_width
        self.query = nn.Linear(query_width, width, bias=False)
        self.key = nn.Linear(memory_width, width)
        self.score = nn.Linear(width, 1, bias=False)

    def prepare(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys (B, S, A) and the memory itself."""
        return self.key(memory), memory

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, previous: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `Attention`; holds a tensor of (B, T, S, A)."""
        energy = torch.tanh(self.query(queries).unsqueeze(2) + keys.unsqueeze(1))
        return attend(self.score(energy).squeeze(3), values, mask)


class MultiHeadAttention(nn.Module):
    """Scaled dot products in several subspaces (Vaswani et al. 2017, arXiv:1706.03762); C = A.

    The weights returned are the mean over heads.
    """

    def __init__(self, query_width: int, memory_width: int, width: int, heads: int) -> None:
        super().__init__()
        self.context_width = width
        self.heads = heads
        self.query = nn.Linear(query_width, width)
        self.key = nn.Linear(memory_width, width, bias=False)
        self.value = nn.Linear(memory_width, width)

    def prepare(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values, each (B, heads, S, A / heads) and laid out like that, so that no step has to copy them."""
        return self._split(self.key(memory)).contiguous(), self._split(self.value(memory)).contiguous()

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, previous: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `Attention`."""
        scores = self._split(self.query(queries)) @ keys.transpose(2, 3) * keys.shape[3] ** -0.5
        weights = torch.softmax(scores.masked_fill(~mask[:, None, None], float("-inf")), dim=3)
        return (weights @ values).transpose(1, 2).flatten(2), weights.mean(1)

    def _split(self, sequence: Tensor) -> Tensor:
        """(B, T, A) to (B, heads, T, A / heads)."""
        return sequence.view(*sequence.shape[:2], self.heads, -1).transpose(1, 2)
