"""What training minimises and validates where outputs are labels, values, or sequences written from a vector."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from s2s.checkpoint.record import DevScore
from s2s.data.batches import Batch, Collate, validation_batches
from s2s.data.segments import Drawable
from s2s.group import Group
from s2s.shapes import OnlineTagger, SequenceReader, SequenceWriter, Tagger
from s2s.training.objectives import Losses, Objective, label_likelihood
from s2s.training.pictures import Alignment
from s2s.training.validation import Validation, finite

StepModel = SequenceReader | Tagger | OnlineTagger


class _Independent:
    """Objectives of batches that leave nothing for the next."""

    def carried(self) -> dict[str, Tensor]:
        """See `Objective`: nothing."""
        return {}

    def carry(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Objective`."""


class LabelObjective(_Independent):
    """The smoothed cross-entropy of the labels of real steps; "right" counts those that are the likeliest."""

    def __init__(self, model: StepModel, smoothing: float) -> None:
        self.model = model
        self.smoothing = smoothing

    def names(self, fraction: float) -> list[str]:
        """See `Objective`."""
        return ["loss", "likelihood", "right"]

    def __call__(self, batch: Batch, fraction: float) -> Losses:
        """See `Objective`."""
        logits, labels = real_steps(self.model(batch.source, batch.source_lengths), batch)
        logits = logits.float()
        loss = functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=self.smoothing)
        likelihood = functional.cross_entropy(logits.detach(), labels, reduction="sum")
        return {"loss": loss, "likelihood": likelihood, "right": (logits.argmax(1) == labels).sum()}


class ValueObjective(_Independent):
    """The squared error of the values of real steps, as a mean over the values of a step."""

    def __init__(self, model: StepModel) -> None:
        self.model = model

    def names(self, fraction: float) -> list[str]:
        """See `Objective`."""
        return ["loss"]

    def __call__(self, batch: Batch, fraction: float) -> Losses:
        """See `Objective`."""
        outputs, values = real_steps(self.model(batch.source, batch.source_lengths), batch)
        return {"loss": (outputs.float() - values).square().mean(1).sum()}


class WriterObjective(_Independent):
    """The smoothed cross-entropy of tokens that are written from vectors: sources (B, 1, F)."""

    def __init__(self, model: SequenceWriter, smoothing: float) -> None:
        self.model = model
        self.smoothing = smoothing

    def names(self, fraction: float) -> list[str]:
        """See `Objective`."""
        return ["loss", "likelihood"]

    def __call__(self, batch: Batch, fraction: float) -> Losses:
        """See `Objective`."""
        narrowed = self.model.read(batch.source[:, 0], batch.target[:, :-1])
        loss, likelihood = label_likelihood(self.model.decoder.output, narrowed, batch, self.smoothing)
        return {"loss": loss, "likelihood": likelihood}


def real_steps(outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Of outputs (B, T', O) and the batch's target those of real steps (N, O) and (N) or (N, O), in the same order."""
    steps = torch.arange(batch.target.shape[1], device=batch.target.device)
    real = steps < batch.target_lengths.unsqueeze(1)
    return outputs[:, : batch.target.shape[1]][real[:, : outputs.shape[1]]], batch.target[real]


class ShapeValidator:
    """Scores models on one development part: their loss, and the share of right labels where there are labels."""

    def __init__(
        self, segments: Drawable, budget: int, collate: Collate, objective: Objective, device: torch.device
    ) -> None:
        self.segments = segments
        self.budget = budget
        self.collate = collate
        self.objective = objective
        self.device = device

    @torch.inference_mode()
    def __call__(self, model: torch.nn.Module) -> Validation:
        """The scores of `model`, that of the objective; NonFiniteError when it has none."""
        training = model.training
        model.eval()
        sums: dict[str, float] = {}
        count = 0
        for batch in validation_batches(self.segments, self.budget, collation=self.collate):
            losses = self.objective(batch.to(self.device), 1.0)
            sums = {name: sums.get(name, 0.0) + loss.item() for name, loss in losses.items()}
            count += int(batch.target_lengths.sum())
        model.train(training)
        loss = finite(sums.get("likelihood", sums["loss"]) / count, Group())
        if "right" not in sums:
            return Validation(loss)
        accuracy = DevScore(metric="accuracy", value=100 * sums["right"] / count, signature="per:label|unit:percent")
        return Validation(loss, scores={"accuracy": accuracy})

    def alignments(self, model: torch.nn.Module) -> list[Alignment]:
        """There is nothing to align."""
        return []
