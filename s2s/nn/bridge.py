"""The bridge: from what the encoder read to the decoder's state before its first step."""

from typing import Literal

import torch
from torch import nn

from s2s.nn.encoder import Encoded
from s2s.nn.rnn import State


class Bridge(nn.Module):
    """An affine map and tanh for each part of each decoder layer's state, of a summary of the source.

    The summary is the mean of the memory ("mean", as in Nematus) or the last output of each direction ("last", as in
    Bahdanau et al. 2015).
    """

    def __init__(
        self, summary: Literal["mean", "last"], memory_width: int, width: int, layers: int, parts: int
    ) -> None:
        super().__init__()
        self.summary = summary
        self.layers = layers
        self.parts = parts
        self.project = nn.Linear(memory_width, layers * parts * width)

    def forward(self, encoded: Encoded) -> tuple[State, ...]:
        """One state of (B, H) tensors for each decoder layer."""
        mean = encoded.values.sum(1) / encoded.mask.sum(1, keepdim=True)
        summary = encoded.last if self.summary == "last" else mean
        chunks = torch.tanh(self.project(summary)).chunk(self.layers * self.parts, dim=1)
        return tuple(
            tuple(chunk.contiguous() for chunk in chunks[layer * self.parts : (layer + 1) * self.parts])
            for layer in range(self.layers)
        )


class ZeroBridge(nn.Module):
    """All states start from zero: the decoder meets the source through attention alone."""

    def __init__(self, width: int, layers: int, parts: int) -> None:
        super().__init__()
        self.width = width
        self.layers = layers
        self.parts = parts

    def forward(self, encoded: Encoded) -> tuple[State, ...]:
        """One state of (B, H) zeros for each decoder layer."""
        zero = encoded.values.new_zeros(encoded.values.shape[0], self.width)
        return tuple((zero,) * self.parts for _ in range(self.layers))
