"""One update: forward, loss over real positions, backward, clipping, optimiser."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from s2s.config import RunConfig
from s2s.data.batches import Batch
from s2s.errors import ConfigError, NonFiniteError
from s2s.hardware import has_bfloat16
from s2s.model import Seq2Seq
from s2s.nn.losses import smoothed_cross_entropy


def batch_loss(model: Seq2Seq, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor, int]:
    """Sums of smoothed loss and of negative log-likelihood over the real target positions, and how many they are."""
    inputs, labels = batch.target[:, :-1], batch.target[:, 1:]
    time = torch.arange(labels.shape[1], device=labels.device)
    real = time < batch.target_lengths.unsqueeze(1)
    decoded = model.decode(model.encode(batch.source, batch.source_lengths), inputs)
    weight, bias = model.output.embedding.weight, model.output.bias
    loss, likelihood = smoothed_cross_entropy(decoded.features[real], weight, bias, labels[real], smoothing)
    return loss, likelihood, int(batch.target_lengths.sum())


class Updater:
    """Applies updates to a model; keeps no state but the optimiser's."""

    def __init__(
        self, model: Seq2Seq, optimiser: torch.optim.Optimizer, config: RunConfig, device: torch.device
    ) -> None:
        self.model = model
        self.optimiser = optimiser
        self.smoothing = config.regularisation.label_smoothing
        self.clip_norm = config.training.clip_norm
        self.device = device
        self.precision = config.training.precision

    def __call__(self, batches: Sequence[Batch]) -> tuple[Tensor, int]:
        """One update from the gradient of the mean loss per token over all `batches`.

        Returns loss, negative log-likelihood (sums over tokens) and gradient norm as a tensor (3) of float64, and the
        number of target tokens. NonFiniteError, before any weight changes, when the gradient is not finite.
        """
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        tokens = sum(int(batch.target_lengths.sum()) for batch in batches)
        sums = torch.zeros(2, dtype=torch.float64, device=self.device)
        for batch in batches:
            with autocast(self.device, self.precision):
                loss, likelihood, _ = batch_loss(self.model, batch.to(self.device), self.smoothing)
            torch.autograd.backward(loss / tokens)
            sums += torch.stack([loss.detach(), likelihood])
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        if not torch.isfinite(norm):
            raise NonFiniteError(self._accuse(batches))
        self.optimiser.step()
        return torch.cat([sums, norm.double().unsqueeze(0)]), tokens

    def _accuse(self, batches: Sequence[Batch]) -> str:
        rows = sorted(row for batch in batches for row in batch.indices)
        shown = ", ".join(map(str, rows[:20])) + (", ..." if len(rows) > 20 else "")
        return (
            f"The gradient is not a finite number, so this update was not made. It came from rows {shown} of the "
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
