"""Dropout with one mask over time, and dropout of whole words."""

from torch import Tensor, nn
from torch.nn import functional


class LockedDropout(nn.Module):
    """Drops the same features at every time step of a segment (Gal & Ghahramani 2016, arXiv:1512.05287)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, sequence: Tensor) -> Tensor:
        """(B, T, F) to the same shape; outside training the sequence itself."""
        if not self.training or self.rate == 0:
            return sequence
        mask = functional.dropout(sequence.new_ones(sequence.shape[0], 1, sequence.shape[2]), self.rate)
        return sequence * mask


class WordDropout(nn.Module):
    """Drops all features of a word at once (Sennrich & Zhang 2019, arXiv:1905.11901)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, sequence: Tensor) -> Tensor:
        """(B, T, F) to the same shape; outside training the sequence itself."""
        if not self.training or self.rate == 0:
            return sequence
        return sequence * functional.dropout(sequence.new_ones(*sequence.shape[:2], 1), self.rate)
