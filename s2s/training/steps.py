"""One update: forward, losses over real positions, backward, clipping, optimiser."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from s2s.config import RunConfig
from s2s.data.batches import Batch
from s2s.errors import ConfigError, NonFiniteError, TrainingError
from s2s.group import Group
from s2s.hardware import has_bfloat16
from s2s.model import Decoded, Seq2Seq
from s2s.nn.ctc import ctc_loss
from s2s.nn.encoder import Encoded
from s2s.nn.losses import smoothed_cross_entropy
from s2s.text.vocabulary import PAD


@dataclass(frozen=True)
class Losses:
    """Sums over a batch, in nats: what is minimised, and, where they were computed, its parts without smoothing."""

    total: Tensor
    likelihood: Tensor | None
    ctc: Tensor | None

    def parts(self) -> Tensor:
        """What was computed, without gradients, in the order of `names`."""
        return torch.stack(
            [part.detach().double() for part in (self.total, self.likelihood, self.ctc) if part is not None]
        )

    @staticmethod
    def names(ctc_share: float) -> list[str]:
        """What is computed with this share of CTC, by name."""
        return ["loss", *(["likelihood"] if ctc_share < 1 else []), *(["ctc"] if ctc_share > 0 else [])]


def batch_losses(model: Seq2Seq, batch: Batch, smoothing: float, ctc_share: float = 0.0) -> Losses:
    """The losses of a batch: `ctc_share` of CTC's, the rest that of attention; what has no share is not computed."""
    encoded = model.read(batch.source, batch.source_lengths)
    ctc = ctc_likelihood(model, encoded, batch) if ctc_share > 0 else None
    if ctc is not None and ctc_share == 1:
        return Losses(ctc, None, ctc)
    decoded = model.decode(model.remember(encoded), batch.target[:, :-1])
    loss, likelihood = attention_likelihood(model, decoded, batch, smoothing)
    if ctc is not None:
        loss = (1 - ctc_share) * loss + ctc_share * ctc
    return Losses(loss, likelihood, ctc)


def attention_likelihood(model: Seq2Seq, decoded: Decoded, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
    """Sums of smoothed loss and of negative log-likelihood over the real target positions."""
    labels = batch.target[:, 1:]
    real = torch.arange(labels.shape[1], device=labels.device) < batch.target_lengths.unsqueeze(1)
    weight, bias = model.output.embedding.weight, model.output.bias
    return smoothed_cross_entropy(decoded.features[real], weight, bias, labels[real], smoothing)


def ctc_likelihood(model: Seq2Seq, encoded: Encoded, batch: Batch) -> Tensor:
    """The sum of CTC's negative log-likelihoods, in which a segment with too few steps for its labels has no part."""
    assert model.ctc is not None
    steps, lengths = encoded.mask.sum(1), batch.target_lengths - 1  # EOS is no label of CTC
    labels = batch.target[:, 1:]
    rows = (steps >= _steps_needed(labels, lengths)).nonzero().squeeze(1)
    if not len(rows):
        return 0.0 * encoded.values.sum()
    logits = model.ctc(encoded.values[rows])
    return ctc_loss(logits, steps[rows], labels[rows], lengths[rows], PAD)


def _steps_needed(labels: Tensor, lengths: Tensor) -> Tensor:
    """How many steps CTC needs for labels (B, T) of these lengths (B): one for each, one more between equal ones."""
    repeated = labels[:, 1:] == labels[:, :-1]
    time = torch.arange(1, labels.shape[1], device=labels.device)
    return lengths + (repeated & (time < lengths.unsqueeze(1))).sum(1)


class Updater:
    """Applies updates to a model; keeps no state but the optimiser's."""

    def __init__(
        self,
        model: Seq2Seq,
        optimiser: torch.optim.Optimizer,
        config: RunConfig,
        device: torch.device,
        group: Group | None = None,
    ) -> None:
        self.model = model
        self.parameters = list(model.parameters())
        self.optimiser = optimiser
        self.smoothing = config.regularisation.label_smoothing
        self.clip_norm = config.training.clip_norm
        self.device = device
        self.precision = config.training.precision
        self.group = group or Group()

    def __call__(self, batches: Sequence[Batch], ctc_share: float = 0.0) -> tuple[dict[str, Tensor], int]:
        """One update from the gradient of the mean loss per token over all `batches` of all processes.

        Returns the gradient's norm and the sums over tokens of each loss (see `Losses`), as float64 on the device, and
        the number of target tokens. NonFiniteError, on all processes and before any weight changes, when the gradient
        is not finite; TrainingError when the GPU has too little memory for a batch.
        """
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        batches = [batch for batch in batches if batch.indices]
        tokens = int(sum(self.group.numbers(sum(int(batch.target_lengths.sum()) for batch in batches))))
        sums = torch.zeros(len(Losses.names(ctc_share)), dtype=torch.float64, device=self.device)
        for batch in batches:
            try:
                with autocast(self.device, self.precision):
                    losses = batch_losses(self.model, batch.to(self.device), self.smoothing, ctc_share)
                torch.autograd.backward(losses.total / tokens)
            except torch.OutOfMemoryError as error:
                raise TrainingError(self._too_large(batch)) from error
            sums += losses.parts()
        self.group.sum(sums)
        self.group.sum_gradients(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        if not torch.isfinite(norm):
            raise NonFiniteError(self._accusation(batches))
        self.optimiser.step()
        return dict(zip(Losses.names(ctc_share), sums, strict=True)) | {"norm": norm.double()}, tokens

    def _too_large(self, batch: Batch) -> str:
        """What does not fit, and the settings to change."""
        segments, width = batch.target.shape
        name = "batch_frames" if batch.source.ndim == 3 else "batch_tokens"
        return (
            f"The memory of {self.device} is too small for a batch of {segments:,} segments, padded to sources of "
            f"{batch.source.shape[1]:,} and targets of {width:,}. Lower training.{name} and raise "
            "training.accumulation, which makes one update of several batches."
        )

    def _accusation(self, batches: Sequence[Batch]) -> str:
        """Names the segments of all processes."""
        own = [row for batch in batches for row in batch.indices]
        rows = sorted(row for rows in self.group.gather(own) for row in rows)
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
