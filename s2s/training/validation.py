"""Validation on the development part: loss per token under teacher forcing, and BLEU of greedy hypotheses."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from s2s.checkpoint.record import DevScore
from s2s.config import RunConfig
from s2s.data.batches import validation_batches
from s2s.data.prepared import PreparedData
from s2s.decoding import cut, decode_all
from s2s.errors import NonFiniteError
from s2s.evaluation.scores import Score, ScoreOptions, bleu, tokenizer_for
from s2s.model import Seq2Seq
from s2s.training.steps import batch_loss


@dataclass(frozen=True)
class Validation:
    """Negative log-likelihood per token in nats, and BLEU with its signature when it was wanted."""

    loss: float
    bleu: float | None = None
    signature: str | None = None

    def facts(self) -> dict[str, Any]:
        """What stands in `metrics.jsonl`."""
        return {key: value for key, value in vars(self).items() if value is not None}

    def scores(self) -> tuple[DevScore, ...]:
        """What a model directory says of itself."""
        loss = DevScore(metric="loss", value=self.loss)
        if self.bleu is None:
            return (loss,)
        return (DevScore(metric="BLEU", value=self.bleu, signature=self.signature), loss)


class Validator:
    """Scores models on one development part."""

    def __init__(self, data: PreparedData, config: RunConfig, device: torch.device) -> None:
        self.data = data
        self.split = data.split("dev")
        self.config = config
        self.device = device
        self.batches = list(validation_batches(self.split, config.training.batch_tokens))

    @torch.inference_mode()
    def __call__(self, model: Seq2Seq) -> Validation:
        """The scores of `model`, which is left in training mode if it was; NonFiniteError when its loss is none."""
        training = model.training
        model.eval()
        loss = self._loss(model)
        if not math.isfinite(loss):
            raise NonFiniteError(
                "The loss on the dev part is not a finite number: training diverged after the last checkpoint. "
                "Lower training.learning_rate or training.clip_norm, or raise training.warmup_updates."
            )
        if self.config.training.validation_metric == "bleu":
            score = self._bleu(model)
            result = Validation(loss, score.value, score.signature)
        else:
            result = Validation(loss)
        model.train(training)
        return result

    def _loss(self, model: Seq2Seq) -> float:
        total, tokens = 0.0, 0
        for batch in self.batches:
            _, likelihood, count = batch_loss(model, batch.to(self.device), smoothing=0.0)
            total += likelihood.item()
            tokens += count
        return total / tokens

    def _bleu(self, model: Seq2Seq) -> Score:
        """Greedy hypotheses, detokenised and with placeholders restored, against the raw references."""
        tokenizers = self.data.tokenizers
        encoded = [tokenizers.encode_source(source) for source in self.split.column("source")]
        greedy = self.config.decoding.model_copy(update={"beam_size": 1})
        sources = [cut(ids, greedy.max_length) for ids, _ in encoded]
        found = decode_all(model, sources, greedy, self.config.training.batch_tokens)
        hypotheses = [
            tokenizers.decode_target(hypothesis.tokens, masks)
            for hypothesis, (_, masks) in zip(found, encoded, strict=True)
        ]
        options = ScoreOptions(tokenize=tokenizer_for(self.data.languages[1]))
        return bleu(hypotheses, [self.split.column("target")], options)
