"""Random numbers of samples: functions of a seed and of what they are for."""

import torch

from s2s.rng import generator


def draws_of(seed: int, line: int, number: int, max_length: int) -> torch.Tensor:
    """Uniform numbers (T) for one sample of one line, both counted from 1: one more than `max_length` tokens."""
    return torch.rand(max_length + 1, generator=generator(seed, "sample", line, number), dtype=torch.float64)
