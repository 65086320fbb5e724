"""The encoder: a stack of bidirectional layers, residual from the second up, that padding never touches."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from s2s.nn.dropout import LockedDropout
from s2s.nn.rnn import Cell, RecurrentLayer


@dataclass(frozen=True)
class Encoded:
    """What the encoder makes of a batch of sources.

    `values` (B, S, D) are zero beyond a segment's own length; `mask` (B, S) is True at real positions; `last` (B, 2H)
    joins the last forward and the first backward output of the top layer.
    """

    values: Tensor
    mask: Tensor
    last: Tensor


class BidirectionalLayer(nn.Module):
    """Two recurrent layers, one of which reads each segment from its own end to its start."""

    def __init__(self, cell: Cell, input_width: int, width: int, weight_dropout: float) -> None:
        super().__init__()
        self.ahead = RecurrentLayer(cell, input_width, width, weight_dropout)
        self.back = RecurrentLayer(cell, input_width, width, weight_dropout)

    def forward(self, inputs: Tensor, mirror: Tensor) -> Tensor:
        """Inputs (B, S, F) and the row numbers (B * S) that reverse each segment within its length: (B, S, 2H)."""
        ahead, _ = self.ahead(inputs)
        back, _ = self.back(reverse(inputs, mirror))
        return torch.cat([ahead, reverse(back, mirror)], dim=2)


class Encoder(nn.Module):
    """Stacked bidirectional layers with layer norm between them; D = 2H."""

    def __init__(
        self,
        cell: Cell,
        input_width: int,
        width: int,
        layers: int,
        dropout: float,
        weight_dropout: float,
    ) -> None:
        super().__init__()
        widths = [input_width] + [2 * width] * (layers - 1)
        self.layers = nn.ModuleList(BidirectionalLayer(cell, w, width, weight_dropout) for w in widths)
        self.norms = nn.ModuleList(nn.LayerNorm(2 * width) for _ in range(layers))
        self.dropout = LockedDropout(dropout)
        self.width = 2 * width

    def forward(self, inputs: Tensor, lengths: Tensor) -> Encoded:
        """Inputs (B, S, F) of which the first `lengths` (B) vectors of each segment are real."""
        mirror = mirror_rows(lengths, inputs.shape[1])
        hidden = self.layers[0](inputs, mirror)
        for layer, norm in zip(self.layers[1:], self.norms[:-1], strict=True):
            hidden = hidden + layer(self.dropout(norm(hidden)), mirror)
        mask = torch.arange(inputs.shape[1], device=lengths.device) < lengths.unsqueeze(1)
        # Beyond its end, a segment's state goes on from padding to padding and may overflow: attention gives that a
        # weight of zero, which alone would not make it harmless.
        beyond = ~mask.unsqueeze(2)
        values = self.norms[-1](hidden).masked_fill(beyond, 0.0)
        half = self.width // 2
        end = values[torch.arange(values.shape[0], device=values.device), lengths - 1, :half]
        last = torch.cat([end, values[:, 0, half:]], dim=1)
        return Encoded(self.dropout(values), mask, last)


def mirror_rows(lengths: Tensor, steps: int) -> Tensor:
    """Row numbers (B * S) of a flattened (B, S, F) tensor that reverse each segment within its length."""
    time = torch.arange(steps, device=lengths.device).unsqueeze(0)
    ends = lengths.unsqueeze(1)
    within = torch.where(time < ends, ends - 1 - time, time)
    return (within + steps * torch.arange(lengths.shape[0], device=lengths.device).unsqueeze(1)).reshape(-1)


def reverse(sequence: Tensor, mirror: Tensor) -> Tensor:
    """The sequence (B, S, F) with each segment reversed within its length; padding stays where it is."""
    return sequence.reshape(-1, sequence.shape[2]).index_select(0, mirror).view_as(sequence)
