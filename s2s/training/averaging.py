"""An exponential moving average of the weights (Polyak & Juditsky 1992), which validation and checkpoints use."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

DECAY = 0.999


class MovingAverage:
    """Averages beside the weights of a model; the decay grows from zero, so that the first weights are forgotten."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._weights = [weight.detach() for weight in model.parameters()]
        self.averages = [weight.clone() for weight in self._weights]

    def update(self, updates: int) -> None:
        """Move towards the weights after update number `updates` (from 1)."""
        decay = min(self.decay, updates / (updates + 10))
        torch._foreach_lerp_(self.averages, self._weights, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the context the model has the averages for weights."""
        own: list[Tensor] = [weight.clone() for weight in self._weights]
        torch._foreach_copy_(self._weights, self.averages)
        try:
            yield
        finally:
            torch._foreach_copy_(self._weights, own)
