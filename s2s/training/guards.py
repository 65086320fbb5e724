"""What ends a run that cannot become better, and keeps one going that had bad luck."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from s2s.checkpoint.tensors import to_bytes
from s2s.data.batches import Batch
from s2s.errors import TrainingError
from s2s.files import write_bytes

MAX_SKIPPED = 10
"""Updates in a row whose gradient may be no number before training stops."""

MAX_UNSAVED = 3
"""Checkpoints in a row that a full disk may cost before training stops."""


class LossWatch:
    """The mean loss of training between two validations, in which divergence is seen."""

    def __init__(self, device: torch.device) -> None:
        self._sum = torch.zeros((), dtype=torch.float64, device=device)
        self._tokens = 0

    def add(self, loss: Tensor, tokens: int) -> None:
        """The loss of an update, summed over its tokens."""
        self._sum = self._sum + loss
        self._tokens += tokens

    def lowest(self, before: float | None) -> float | None:
        """The lowest mean so far, given that `before`, and count anew.

        TrainingError when the last mean is more than twice the lowest, and one nat: noise and a growing share of
        attention in the loss stay far below.
        """
        if not self._tokens:
            return before
        mean = self._sum.item() / self._tokens
        self._sum, self._tokens = torch.zeros_like(self._sum), 0
        if before is not None and mean > 2 * before + 1:
            raise TrainingError(
                f"Training diverged: since the last validation its loss is {mean:.3f} per token, and was {before:.3f} "
                "at its lowest. The checkpoints are from before. Train anew with a lower training.learning_rate or "
                "training.clip_norm, or a higher training.warmup_updates."
            )
        return mean if before is None else min(before, mean)


def keep_batches(batches: Sequence[Batch], path: Path) -> None:
    """Write the tensors of batches for later inspection, as `NUMBER.source` and so on."""
    tensors = {
        f"{number}.{name}": getattr(batch, name)
        for number, batch in enumerate(batches)
        for name in ("source", "source_lengths", "target", "target_lengths")
    }
    write_bytes(path, to_bytes(tensors))
