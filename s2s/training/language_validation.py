"""Validation of a language model on the development part: its perplexity."""

import math
from collections.abc import Iterator

import torch

from s2s.checkpoint.record import DevScore
from s2s.config import LanguageRunConfig
from s2s.data.batches import Batch, validation_batches
from s2s.data.monolingual import MonolingualData
from s2s.data.running import RunningBatches
from s2s.group import Group
from s2s.language_model import LanguageModel
from s2s.training.objectives import LanguageObjective
from s2s.training.pictures import Alignment
from s2s.training.validation import Validation, finite


class LanguageValidator:
    """Scores language models on one development part, with the context that they learn with."""

    def __init__(
        self, data: MonolingualData, config: LanguageRunConfig, device: torch.device, group: Group | None = None
    ) -> None:
        self.segments = data.segments("dev")
        self.budget = config.training.budget
        self.truncation = config.training.truncation
        self.device = device
        self.group = group or Group()

    @torch.inference_mode()
    def __call__(self, model: LanguageModel) -> Validation:
        """The perplexity of `model`, which is left in training mode if it was; NonFiniteError when it has none."""
        training = model.training
        model.eval()
        objective = LanguageObjective(model, smoothing=0.0)
        loss, tokens = 0.0, 0
        for batch in self._batches():
            loss += objective(batch.to(self.device), 1.0)["likelihood"].item()
            tokens += int(batch.target_lengths.sum())
        model.train(training)
        mean = finite(sum(self.group.numbers(loss)) / sum(self.group.numbers(tokens)), self.group)
        perplexity = DevScore(metric="perplexity", value=math.exp(min(mean, 100)), signature="per:token|ends:counted")
        return Validation(mean, scores={"perplexity": perplexity})

    def alignments(self, model: LanguageModel) -> list[Alignment]:
        """There is nothing to align."""
        return []

    def _batches(self) -> Iterator[Batch]:
        if self.truncation is None:
            yield from validation_batches(self.segments, self.budget, self.group.rank, self.group.size)
            return
        rows = RunningBatches(self.segments, self.budget, self.truncation, 0, self.group.rank, self.group.size)
        yield from (rows.batch(0, number) for number in range(rows.count()) if rows.chosen)
