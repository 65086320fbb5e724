"""What stands on an encoder that has no decoder: a pooling of its steps, and an affine map to scores or values."""

from typing import Literal

from torch import Tensor, nn

from s2s.nn.encoder import Encoded

Pooling = Literal["mean", "max", "last"]


def pool(encoded: Encoded, pooling: Pooling) -> Tensor:
    """The steps of each segment (B, S, D) as one vector (B, D), in which padding has no part.

    "last" joins the last output of each direction, "max" takes the largest value of each feature.
    """
    if pooling == "last":
        return encoded.last
    if pooling == "mean":
        return encoded.values.sum(1) / encoded.mask.sum(1, keepdim=True)
    return encoded.values.masked_fill(~encoded.mask.unsqueeze(2), float("-inf")).amax(1)


class PooledHead(nn.Module):
    """One output vector for each segment."""

    def __init__(self, width: int, outputs: int, pooling: Pooling, dropout: float) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(width, outputs)

    def forward(self, encoded: Encoded) -> Tensor:
        """What the encoder made of segments to (B, O)."""
        outputs: Tensor = self.project(self.dropout(pool(encoded, self.pooling)))
        return outputs
