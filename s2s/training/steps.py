"""One update: forward, losses over real positions, backward, clipping, optimiser."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from s2s.config import TrainingConfig
from s2s.data.batches import Batch
from s2s.errors import ConfigError, NonFiniteError, TrainingError
from s2s.group import Group
from s2s.hardware import has_bfloat16
from s2s.training.objectives import Objective


class Updater:
    """Applies updates to a model; keeps no state but the optimiser's."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimiser: torch.optim.Optimizer,
        config: TrainingConfig,
        device: torch.device,
        group: Group | None = None,
    ) -> None:
        self.model = model
        self.objective = objective
        self.parameters = list(model.parameters())
        self.optimiser = optimiser
        self.clip_norm = config.clip_norm
        self.device = device
        self.precision = config.precision
        self.group = group or Group()
        self.unit = "segments" if config.truncation is None else "windows of running text"

    def __call__(self, batches: Sequence[Batch], fraction: float = 0.0) -> tuple[dict[str, Tensor], int]:
        """One update, at a fraction of the run, from the gradient of the mean loss per label over all `batches`.

        These are the batches of all processes. Returns the gradient's norm and the sums over labels of each loss (see
        `Objective`), as float64 on the device, and the number of labels. NonFiniteError, on all processes and before
        any weight changes, when the gradient is not finite; TrainingError when the GPU has too little memory.
        """
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        batches = [batch for batch in batches if batch.indices]
        tokens = int(sum(self.group.numbers(sum(int(batch.target_lengths.sum()) for batch in batches))))
        names = self.objective.names(fraction)
        sums = torch.zeros(len(names), dtype=torch.float64, device=self.device)
        for batch in batches:
            try:
                with autocast(self.device, self.precision):
                    losses = self.objective(batch.to(self.device), fraction)
                torch.autograd.backward(losses["loss"] / tokens)
            except torch.OutOfMemoryError as error:
                raise TrainingError(self._too_large(batch)) from error
            sums += torch.stack([losses[name].detach().double() for name in names])
        self.group.sum(sums)
        self.group.sum_gradients(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        if not torch.isfinite(norm):
            raise NonFiniteError(self._accusation(batches))
        self.optimiser.step()
        return dict(zip(names, sums, strict=True)) | {"norm": norm.double()}, tokens

    def _too_large(self, batch: Batch) -> str:
        """What does not fit, and the settings to change."""
        count, width = batch.target.shape[:2]
        sources = batch.source.shape[1]
        size = f"padded to sources of {sources:,} and targets of {width:,}" if sources else f"of {width - 1:,} tokens"
        name = "batch_frames" if batch.source.ndim == 3 else "batch_tokens"
        return (
            f"The memory of {self.device} is too small for a batch of {count:,} {self.unit}, {size}. Lower "
            f"training.{name} and raise training.accumulation, which makes one update of several batches."
        )

    def _accusation(self, batches: Sequence[Batch]) -> str:
        """Names the segments of all processes, or the lines in which their windows begin."""
        own = [row for batch in batches for row in batch.indices]
        rows = sorted({row for rows in self.group.gather(own) for row in rows})
        shown = ", ".join(map(str, rows[:20])) + (", ..." if len(rows) > 20 else "")
        where = "rows" if self.unit == "segments" else f"{self.unit} that begin in the rows"
        return (
            f"The gradient is not a finite number, so this update was not made. It came from {where} {shown} of the "
            "training part (counted from 0). Lower training.learning_rate or training.clip_norm, or look at these rows."
        )


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """The context in which a forward pass runs in `precision`."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def check_precision(device: torch.device, precision: str) -> None:
    """ConfigError when the device has no arithmetic of its own for `precision`."""
    if precision == "bfloat16" and not has_bfloat16(device):
        raise ConfigError(
            f'training.precision = "{precision}", but this {device.type} has no bfloat16 arithmetic and would only be '
            'slower. Set training.precision = "float32".'
        )
