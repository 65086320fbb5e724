"""The output layer: features of the decoder through a bottleneck to scores over the vocabulary."""

import torch
from torch import Tensor, nn

from s2s.nn.dropout import LockedDropout


class Output(nn.Module):
    """A bottleneck as wide as the embedding, so that its matrix can be the embedding's (Press & Wolf 2017)."""

    def __init__(self, feature_width: int, embedding: nn.Embedding, dropout: float) -> None:
        super().__init__()
        self.bottleneck = nn.Linear(feature_width, embedding.embedding_dim)
        self.embedding = embedding
        self.bias = nn.Parameter(torch.zeros(embedding.num_embeddings))
        self.dropout = LockedDropout(dropout)

    def narrow(self, features: Tensor) -> Tensor:
        """Features (B, T, H + C + E) to what the vocabulary is compared with (B, T, E)."""
        narrowed: Tensor = self.dropout(torch.tanh(self.bottleneck(features)))
        return narrowed

    def forward(self, narrowed: Tensor) -> Tensor:
        """Narrowed features (..., E) to logits (..., V)."""
        return nn.functional.linear(narrowed, self.embedding.weight, self.bias)
