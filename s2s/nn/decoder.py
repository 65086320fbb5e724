"""Decoders: from embedded target tokens and a memory to features for the output layer, and to their next state."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from s2s.grid import Grid
from s2s.nn.attention import Attention
from s2s.nn.dropout import LockedDropout
from s2s.nn.rnn import Cell, RecurrentLayer, State

KEPT = 0.75
"""When no more than this share of the sources is left, the memory of the others is dropped."""


@dataclass(frozen=True)
class Memory:
    """Sources as the decoder meets them: keys and values that attention prepared, mask (B, S), states before step 0."""

    keys: Tensor
    values: Tensor
    mask: Tensor
    initial: tuple[State, ...]

    def select(self, rows: Tensor) -> "Memory":
        """The memory of the given rows (N), in their order; a row may come several times."""
        initial = tuple(tuple(part[rows] for part in state) for state in self.initial)
        return Memory(self.keys[rows], self.values[rows], self.mask[rows], initial)


@dataclass(frozen=True)
class DecoderState:
    """What a decoder carries from one step to the next.

    `owner` (N) is the source in `memory` that each row reads; `grid` has a cell for each row, or is None where row n
    reads source n. `layers` has one state of (N, H) tensors per recurrent layer; `feed` (N, C) is the last context, for
    input feeding only; `attention` (N, S) are the weights of the last step, None before the first.
    """

    memory: Memory
    owner: Tensor
    grid: Grid | None
    layers: tuple[State, ...]
    feed: Tensor | None = None
    attention: Tensor | None = None

    @classmethod
    def first(cls, memory: Memory, feed: Tensor | None = None) -> "DecoderState":
        """The state before the first step, with a row for each source."""
        owner = torch.arange(memory.mask.shape[0], device=memory.mask.device)
        return cls(replace(memory, initial=()), owner, None, memory.initial, feed)  # nobody asks for `initial` again

    def reorder(self, index: Tensor) -> "DecoderState":
        """The state of the given rows (N'), in their order; rows may be dropped or come several times."""
        memory, owner, grid = _reading(self.memory, self.owner[index])
        return DecoderState(
            memory,
            owner,
            grid,
            tuple(tuple(part[index] for part in state) for state in self.layers),
            None if self.feed is None else self.feed[index],
            None if self.attention is None else self.attention[index],
        )

    def attend(self, attention: Attention, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Contexts (N, T, C) and weights (N, T, S) of queries (N, T, H); T is 1 once rows were reordered."""
        memory, grid, previous = self.memory, self.grid, self.attention
        if grid is None:
            before = None if previous is None else previous.unsqueeze(1)
            return attention(queries, memory.keys, memory.values, memory.mask, before)
        assert queries.shape[1] == 1, "several steps at once are for rows as the state before the first step has them"
        before = None if previous is None else grid.spread(previous)
        contexts, weights = attention(grid.spread(queries[:, 0]), memory.keys, memory.values, memory.mask, before)
        return grid.collect(contexts).unsqueeze(1), grid.collect(weights).unsqueeze(1)


def _reading(memory: Memory, owner: Tensor) -> tuple[Memory, Tensor, Grid | None]:
    """A memory, the source in it that each row (N) reads, and their grid, for rows that read these sources."""
    count = torch.arange(len(owner), device=owner.device)
    if owner.is_cuda:  # to copy sources takes less time than to wait for the device to tell which are left
        return memory.select(owner), count, None
    if len(memory.mask) > 1:
        sources, compact = torch.unique(owner, return_inverse=True)
        if len(sources) <= KEPT * len(memory.mask):  # to attend to sources that are finished costs as much
            memory, owner = memory.select(sources), compact
    one_each = len(owner) == len(memory.mask) and torch.equal(owner, count)
    return memory, owner, None if one_each else Grid.of(owner, len(memory.mask))


class ParallelDecoder(nn.Module):
    """The first layer runs over the whole target, one attention call follows, its context enters every later layer.

    This is the arrangement of GNMT v2 (Wu et al. 2016, arXiv:1609.08144, as NVIDIA's implementation trains it).
    """

    def __init__(
        self,
        cell: Cell,
        input_width: int,
        width: int,
        layers: int,
        attention: Attention,
        dropout: float,
        weight_dropout: float,
    ) -> None:
        super().__init__()
        self.attention = attention
        context = attention.context_width
        widths = [input_width] + [width + context] * (layers - 1)
        self.layers = nn.ModuleList(RecurrentLayer(cell, w, width, weight_dropout) for w in widths)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.dropout = LockedDropout(dropout)
        self.feature_width = width + context + input_width

    def start(self, memory: Memory) -> DecoderState:
        """The state before the first step, with a row for each source."""
        return DecoderState.first(memory)

    def forward(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Embedded inputs (N, T, E): features (N, T, H + C + E), attention (N, T, S) and the state after them."""
        hidden, first = self.layers[0](embedded, state.layers[0])
        context, weights = state.attend(self.attention, self.dropout(self.norms[0](hidden)))
        after = [first]
        for layer, norm, past in zip(self.layers[1:], self.norms, state.layers[1:], strict=False):
            outputs, present = layer(torch.cat([self.dropout(norm(hidden)), context], dim=2), past)
            hidden = hidden + outputs
            after.append(present)
        features = torch.cat([self.norms[-1](hidden), context, embedded], dim=2)
        return features, weights, replace(state, layers=tuple(after), attention=weights[:, -1])


class InputFeedingDecoder(nn.Module):
    """Every step reads the context of the step before (Luong et al. 2015, arXiv:1508.04025); it loops over time."""

    def __init__(
        self,
        cell: Cell,
        input_width: int,
        width: int,
        layers: int,
        attention: Attention,
        dropout: float,
        weight_dropout: float,
    ) -> None:
        super().__init__()
        self.attention = attention
        context = attention.context_width
        widths = [input_width + context] + [width] * (layers - 1)
        self.layers = nn.ModuleList(RecurrentLayer(cell, w, width, weight_dropout) for w in widths)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.dropout = LockedDropout(dropout)
        self.feature_width = width + context + input_width
        self.context_width = context

    def start(self, memory: Memory) -> DecoderState:
        """The state before the first step, with a row for each source; the context before it is zero."""
        return DecoderState.first(memory, memory.values.new_zeros(memory.mask.shape[0], self.context_width))

    def forward(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Embedded inputs (N, T, E): features (N, T, H + C + E), attention (N, T, S) and the state after them."""
        features, weights = [], []
        for inputs in torch.split(embedded, 1, dim=1):
            feature, weight, state = self._step(inputs, state)
            features.append(feature)
            weights.append(weight)
        return torch.cat(features, dim=1), torch.cat(weights, dim=1), state

    def _step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        assert state.feed is not None
        hidden, first = self.layers[0](torch.cat([embedded, state.feed.unsqueeze(1)], dim=2), state.layers[0])
        after = [first]
        for layer, norm, past in zip(self.layers[1:], self.norms, state.layers[1:], strict=False):
            outputs, present = layer(self.dropout(norm(hidden)), past)
            hidden = hidden + outputs
            after.append(present)
        query = self.norms[-1](hidden)
        context, weights = state.attend(self.attention, query)
        features = torch.cat([query, context, embedded], dim=2)
        return features, weights, replace(state, layers=tuple(after), feed=context[:, 0], attention=weights[:, 0])
