"""What training minimises: from a batch to sums of losses over its labels."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from s2s.config import CtcConfig
from s2s.data.batches import Batch
from s2s.language_model import LanguageModel, LanguageState
from s2s.model import Seq2Seq
from s2s.nn.ctc import ctc_loss
from s2s.nn.encoder import Encoded
from s2s.nn.losses import smoothed_cross_entropy
from s2s.nn.output import Output
from s2s.text.vocabulary import PAD
from s2s.training import schedule

Losses = dict[str, Tensor]
"""Sums over a batch, in nats: "loss" is minimised; "likelihood" and "ctc" are its parts without smoothing."""


class Objective(Protocol):
    """Losses of batches; what one batch leaves for the next, if anything, belongs to the training state."""

    def names(self, fraction: float) -> list[str]:
        """The losses that are computed at a fraction of the run; "loss" is among them."""

    def __call__(self, batch: Batch, fraction: float) -> Losses:
        """The losses of a batch under those names, as sums over its labels."""

    def carried(self) -> dict[str, Tensor]:
        """What the next batch needs of the last one, by name."""

    def carry(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `carried` told."""


class Seq2SeqObjective:
    """The smoothed cross-entropy of the decoder, and CTC's where the config has it."""

    def __init__(self, model: Seq2Seq, smoothing: float, ctc: CtcConfig | None) -> None:
        self.model = model
        self.smoothing = smoothing
        self.ctc = ctc

    def names(self, fraction: float) -> list[str]:
        """See `Objective`."""
        share = schedule.ctc_share(self.ctc, fraction)
        return ["loss", *(["likelihood"] if share < 1 else []), *(["ctc"] if share > 0 else [])]

    def __call__(self, batch: Batch, fraction: float) -> Losses:
        """See `Objective`."""
        return batch_losses(self.model, batch, self.smoothing, schedule.ctc_share(self.ctc, fraction))

    def carried(self) -> dict[str, Tensor]:
        """See `Objective`: nothing, since pairs do not depend on each other."""
        return {}

    def carry(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Objective`."""


def batch_losses(model: Seq2Seq, batch: Batch, smoothing: float, ctc_share: float = 0.0) -> Losses:
    """The losses of a batch: `ctc_share` of CTC's, the rest that of attention; what has no share is not computed."""
    encoded = model.read(batch.source, batch.source_lengths)
    ctc = ctc_likelihood(model, encoded, batch) if ctc_share > 0 else None
    if ctc is not None and ctc_share == 1:
        return {"loss": ctc, "ctc": ctc}
    decoded = model.decode(model.remember(encoded), batch.target[:, :-1])
    loss, likelihood = label_likelihood(model.output, decoded.features, batch, smoothing)
    if ctc is None:
        return {"loss": loss, "likelihood": likelihood}
    return {"loss": (1 - ctc_share) * loss + ctc_share * ctc, "likelihood": likelihood, "ctc": ctc}


def label_likelihood(output: Output, features: Tensor, batch: Batch, smoothing: float) -> tuple[Tensor, Tensor]:
    """Sums of smoothed loss and of negative log-likelihood over the real labels, of narrowed features (B, T, E)."""
    labels = batch.target[:, 1:]
    real = torch.arange(labels.shape[1], device=labels.device) < batch.target_lengths.unsqueeze(1)
    return smoothed_cross_entropy(features[real], output.embedding.weight, output.bias, labels[real], smoothing)


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


class LanguageObjective:
    """The smoothed cross-entropy of a language model; where batches go on with their texts, so do its states."""

    def __init__(self, model: LanguageModel, smoothing: float) -> None:
        self.model = model
        self.smoothing = smoothing
        self._state: LanguageState | None = None

    def names(self, fraction: float) -> list[str]:
        """See `Objective`."""
        return ["loss", "likelihood"]

    def __call__(self, batch: Batch, fraction: float) -> Losses:
        """See `Objective`; errors do not go back into the batch before."""
        state = self._state if batch.continues else None
        narrowed, after = self.model.read(batch.target[:, :-1], state or self.model.start(len(batch.indices)))
        self._state = LanguageState(tuple(tuple(map(_detached, layer)) for layer in after.layers))
        loss, likelihood = label_likelihood(self.model.output, narrowed, batch, self.smoothing)
        return {"loss": loss, "likelihood": likelihood}

    def carried(self) -> dict[str, Tensor]:
        """See `Objective`: the states after the last batch."""
        layers = () if self._state is None else self._state.layers
        return {f"{n}.{part}": value for n, layer in enumerate(layers) for part, value in enumerate(layer)}

    def carry(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Objective`."""
        numbers = sorted({int(name.partition(".")[0]) for name in tensors})
        parts = range(self.model.stack.state_parts)
        layers = tuple(tuple(tensors[f"{n}.{part}"].to(self.model.device) for part in parts) for n in numbers)
        self._state = LanguageState(layers) if layers else None


def _detached(part: Tensor) -> Tensor:
    """A state without its history; after an update that failed it begins anew where it is no number."""
    return part.detach().nan_to_num(0.0, 0.0, 0.0)
