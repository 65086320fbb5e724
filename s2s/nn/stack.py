"""A stack of recurrent layers in one direction: what predicts the next of a sequence that has no source."""

import torch
from torch import Tensor, nn

from s2s.nn.dropout import LockedDropout
from s2s.nn.rnn import Cell, RecurrentLayer, State


class RecurrentStack(nn.Module):
    """Layers with layer norm between them, residual from the second up; its features are (H + E) wide."""

    def __init__(
        self, cell: Cell, input_width: int, width: int, layers: int, dropout: float, weight_dropout: float
    ) -> None:
        super().__init__()
        widths = [input_width] + [width] * (layers - 1)
        self.layers = nn.ModuleList(RecurrentLayer(cell, w, width, weight_dropout) for w in widths)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.dropout = LockedDropout(dropout)
        self.width = width
        self.state_parts = 2 if cell == "lstm" else 1
        self.feature_width = width + input_width

    def start(self, like: Tensor) -> tuple[State, ...]:
        """States of zeros for the rows of `like` (N, ...), one of (N, H) tensors for each layer."""
        zero = like.new_zeros(len(like), self.width)
        return tuple((zero,) * self.state_parts for _ in self.layers)

    def forward(self, inputs: Tensor, states: tuple[State, ...]) -> tuple[Tensor, tuple[State, ...]]:
        """Inputs (N, T, E) and the states before them to features (N, T, H + E) and the states after them."""
        hidden, first = self.layers[0](inputs, states[0])
        after = [first]
        for layer, norm, past in zip(self.layers[1:], self.norms, states[1:], strict=False):
            outputs, present = layer(self.dropout(norm(hidden)), past)
            hidden = hidden + outputs
            after.append(present)
        return torch.cat([self.norms[-1](hidden), inputs], dim=2), tuple(after)
