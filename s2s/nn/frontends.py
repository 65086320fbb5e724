"""Frontends turn what a segment is made of into the sequence of vectors that encoder and decoder read."""

from torch import Tensor, nn

from s2s.nn.dropout import LockedDropout, WordDropout


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

    def forward(self, tokens: Tensor) -> Tensor:
        """Ids (B, S) to vectors (B, S, E)."""
        vectors: Tensor = self.dropout(self.words(self.embedding(tokens) * self.scale))
        return vectors
