"""Frontends turn what a segment is made of into the sequence of vectors that encoder and decoder read.

Of ids one makes embeddings, of vectors another an affine map. Of frames the others make fewer steps, since an encoder
and its attention cost as much as the source is long: two of their layers leave every second step each. What stands
beyond a segment's own end is zero before each of these layers, so that it gives the same alone as beside a longer one.
"""

from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from s2s.nn.dropout import LockedDropout, WordDropout
from s2s.nn.encoder import BidirectionalLayer, mirror_rows
from s2s.nn.rnn import Cell

Length = TypeVar("Length", int, Tensor)
"""One length, or a tensor of many."""


class Frontend(Protocol):
    """What the encoder reads through."""

    @property
    def width(self) -> int:
        """Features of each output vector (E)."""

    def reduce(self, length: Length) -> Length:
        """How many steps are left of sources that long: of one step or more, at least one."""

    def __call__(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Sources (B, S, ...) with their lengths (B) to vectors (B, S', E) with theirs; what stands beyond is void."""


class TextFrontend(nn.Module):
    """Token ids to embeddings, scaled to unit variance so that tied output weights can stay small."""

    def __init__(self, embedding: nn.Embedding, dropout: float, word_dropout: float) -> None:
        super().__init__()
        self.embedding = embedding
        self.scale = embedding.embedding_dim**0.5
        self.words = WordDropout(word_dropout)
        self.dropout = LockedDropout(dropout)

    @property
    def width(self) -> int:
        """Features of each output vector (E)."""
        return self.embedding.embedding_dim

    def reduce(self, length: Length) -> Length:
        """The length itself."""
        return length

    def embed(self, tokens: Tensor) -> Tensor:
        """Ids (B, S) to vectors (B, S, E)."""
        vectors: Tensor = self.dropout(self.words(self.embedding(tokens) * self.scale))
        return vectors

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Ids (B, S) to vectors (B, S, E), as long as they were."""
        return self.embed(source), lengths


class VectorFrontend(nn.Module):
    """An affine map of each step: of the values of a series, or of features that are few already."""

    def __init__(self, features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.project = nn.Linear(features, width)
        self.dropout = LockedDropout(dropout)
        self.width = width

    def reduce(self, length: Length) -> Length:
        """The length itself."""
        return length

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (B, S, F) to others (B, S, E), as long as they were."""
        return self.dropout(self.project(source)), lengths


class ConvolutionFrontend(nn.Module):
    """Two convolutions of 3 by 3 with stride 2 over time and features, then an affine map; a quarter of the steps.

    The arrangement of joint CTC and attention as ESPnet trains it (Karita et al. 2019, arXiv:1909.06317, section 3).
    """

    def __init__(self, bands: int, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, channels, kernel_size=3, stride=2, padding=1) for inputs in (1, channels)
        )
        self.project = nn.Linear(channels * _half(_half(bands)), width)
        self.dropout = LockedDropout(dropout)
        self.width = width

    def reduce(self, length: Length) -> Length:
        """A quarter of the length, rounded up."""
        return _half(_half(length))

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Frames (B, S, F) with their lengths (B) to vectors (B, S / 4, E) with theirs."""
        planes = source.unsqueeze(1)
        for convolution in self.convolutions:
            beyond = _beyond(lengths, planes.shape[2])
            planes = torch.relu(convolution(planes.masked_fill(beyond[:, None, :, None], 0.0)))
            lengths = _half(lengths)
        vectors: Tensor = self.dropout(self.project(planes.transpose(1, 2).flatten(2)))
        return vectors, lengths


class PyramidFrontend(nn.Module):
    """Two bidirectional layers that read two steps of the layer below as one; a quarter of the steps.

    The pyramid of "Listen, Attend and Spell" (Chan et al. 2016, arXiv:1508.01211), with layer norm after each layer.
    Each direction has H = E / 2, so that E must be even.
    """

    def __init__(self, bands: int, cell: Cell, width: int, dropout: float, weight_dropout: float) -> None:
        assert width % 2 == 0, "both directions are equally wide"
        super().__init__()
        self.layers = nn.ModuleList(
            BidirectionalLayer(cell, 2 * inputs, width // 2, weight_dropout) for inputs in (bands, width)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.layers)
        self.dropout = LockedDropout(dropout)
        self.width = width

    def reduce(self, length: Length) -> Length:
        """A quarter of the length, rounded up."""
        return _half(_half(length))

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Frames (B, S, F) with their lengths (B) to vectors (B, S / 4, E) with theirs."""
        vectors = source
        for layer, norm in zip(self.layers, self.norms, strict=True):
            vectors, lengths = _in_pairs(vectors, lengths), _half(lengths)
            vectors = self.dropout(norm(layer(vectors, mirror_rows(lengths, vectors.shape[1]))))
        return vectors, lengths


def _half(length: Length) -> Length:
    """What stride 2 leaves of a length: the last of an odd number of steps is kept."""
    return (length + 1) // 2


def _beyond(lengths: Tensor, steps: int) -> Tensor:
    """Where (B, S) segments have ended."""
    return torch.arange(steps, device=lengths.device) >= lengths.unsqueeze(1)


def _in_pairs(sequence: Tensor, lengths: Tensor) -> Tensor:
    """Two neighbouring steps of a sequence (B, S, F) as one (B, S / 2, 2F); what an odd one lacks is zero."""
    sequence = sequence.masked_fill(_beyond(lengths, sequence.shape[1]).unsqueeze(2), 0.0)
    even = functional.pad(sequence, (0, 0, 0, sequence.shape[1] % 2))
    return even.reshape(even.shape[0], -1, 2 * even.shape[2])
