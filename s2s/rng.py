"""Named seeds: every random draw comes from a generator that is a function of (seed, names)."""

import hashlib
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for one named use, the same on every machine and in every process."""
    text = repr((seed, *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def python_random(seed: int, *names: str | int) -> random.Random:
    """A generator of the standard library for one named use."""
    return random.Random(derive(seed, *names))


def generator(seed: int, *names: str | int) -> "torch.Generator":
    """A torch generator on the CPU for one named use."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *names))
