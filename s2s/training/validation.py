"""Validation on the development part: losses under teacher forcing, and scores of greedy hypotheses."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import torch

from s2s.checkpoint.record import DevScore
from s2s.config import RunConfig
from s2s.data.batches import Batch, collate, validation_batches
from s2s.data.codec import PairCodec
from s2s.data.prepared import PreparedData
from s2s.decoding import decode_encoded
from s2s.errors import NonFiniteError
from s2s.evaluation.attention_health import AttentionHealth, attention_health
from s2s.evaluation.error_rates import wer_and_cer
from s2s.evaluation.scores import ScoreOptions, bleu, tokenizer_for
from s2s.group import Group
from s2s.model import Seq2Seq
from s2s.training.objectives import ctc_likelihood, label_likelihood
from s2s.training.pictures import Alignment

ALIGNED = 4
"""Segments whose alignment is drawn."""

Scores = dict[str, DevScore]


def _bleu(texts: Sequence[str], references: Sequence[str], language: str) -> Scores:
    score = bleu(texts, [references], ScoreOptions(tokenize=tokenizer_for(language)))
    return {"bleu": DevScore(metric="BLEU", value=score.value, signature=score.signature)}


def _error_rates(texts: Sequence[str], references: Sequence[str], language: str) -> Scores:
    rates = wer_and_cer(texts, references)
    return {
        name: DevScore(metric=rate.metric, value=rate.value, signature=rate.signature)
        for name, rate in zip(("wer", "cer"), rates, strict=True)
    }


METRICS: Mapping[str, Callable[[Sequence[str], Sequence[str], str], Scores]] = {
    "bleu": _bleu,
    "wer": _error_rates,
    "cer": _error_rates,
}
"""What is computed for each `validation_metric`; for the loss alone nothing is decoded."""


def _added(sums: dict[str, float], more: dict[str, float]) -> dict[str, float]:
    return {name: sums.get(name, 0.0) + more.get(name, 0.0) for name in sums | more}


@dataclass(frozen=True)
class Validation:
    """Negative log-likelihoods per token in nats, scores by name, and how sharp and straight attention was."""

    loss: float
    ctc_loss: float | None = None
    scores: Scores = field(default_factory=dict)
    attention: AttentionHealth | None = None

    def facts(self) -> dict[str, Any]:
        """What stands in `metrics.jsonl`."""
        facts: dict[str, Any] = {"loss": self.loss}
        if self.ctc_loss is not None:
            facts["ctc_loss"] = self.ctc_loss
        for name, score in self.scores.items():
            facts |= {name: score.value, f"{name}_signature": score.signature}
        attention = {} if self.attention is None else vars(self.attention)
        return facts | {f"attention_{name}": value for name, value in attention.items()}

    def dev_scores(self) -> tuple[DevScore, ...]:
        """What a model directory says of itself."""
        return (*self.scores.values(), DevScore(metric="loss", value=self.loss))

    def describe(self) -> str:
        """One line for people."""
        ctc = "" if self.ctc_loss is None else f", CTC loss {self.ctc_loss:.3f}"
        return f"loss {self.loss:.3f}{ctc}" + "".join(
            f", {score.metric} {score.value:.2f}" for score in self.scores.values()
        )


def finite(loss: float, group: Group) -> float:
    """The loss on the dev part; NonFiniteError, on all processes, when it is none."""
    if not math.isfinite(loss):
        group.fail(
            NonFiniteError(
                "The loss on the dev part is not a finite number: training diverged after the last checkpoint. "
                "Lower training.learning_rate or training.clip_norm, or raise training.warmup_updates."
            )
        )
    return loss


class Validator:
    """Scores models on one development part."""

    def __init__(self, data: PreparedData, config: RunConfig, device: torch.device, group: Group | None = None) -> None:
        assert isinstance(data.codec, PairCodec)
        self.codec = data.codec
        self.segments = data.segments("dev")
        self.references = self.segments.references()
        self.metric = METRICS.get(config.training.validation_metric or "loss")
        self.greedy = config.decoding.model_copy(update={"beam_size": 1})
        self.budget = config.training.budget
        self.device = device
        self.group = group or Group()

    @torch.inference_mode()
    def __call__(self, model: Seq2Seq) -> Validation:
        """The scores of `model`, which is left in training mode if it was; NonFiniteError when its loss is none."""
        training = model.training
        model.eval()
        sums: dict[str, float] = {}
        texts: dict[int, str] = {}
        for batch in validation_batches(self.segments, self.budget, self.group.rank, self.group.size):
            sums = _added(sums, self._batch(model, batch.to(self.device), texts))
        model.train(training)
        shares = self.group.gather((sums, texts))
        sums = reduce(_added, (share for share, _ in shares))
        texts = {row: text for _, share in shares for row, text in share.items()}
        tokens = sums["tokens"]
        loss = finite(sums["loss"] / tokens, self.group)
        hypotheses = [texts.get(row, "") for row in range(len(self.segments))]
        scores = self.metric(hypotheses, self.references, self.codec.languages[-1]) if self.metric else {}
        health = AttentionHealth(*(sums[name] / tokens for name in vars(AttentionHealth())))
        return Validation(loss, sums["ctc_loss"] / tokens if "ctc_loss" in sums else None, scores, health)

    @torch.inference_mode()
    def alignments(self, model: Seq2Seq) -> list[Alignment]:
        """Where attention looks while the targets of the first few segments are read."""
        training = model.training
        model.eval()
        rows = range(min(ALIGNED, len(self.segments)))
        drawn = self.segments.draw(rows, None)
        found = []
        for row in rows:
            batch = collate([drawn.pair(row)], [row], self.segments.multiple).to(self.device)
            encoded = model.read(batch.source, batch.source_lengths)
            weights = model.decode(model.remember(encoded), batch.target[:, :-1]).attention[0]
            pieces = [*self.codec.target.pieces(drawn.target(row)), "</s>"]
            real = weights[: len(pieces), : int(encoded.mask.sum())].float().cpu()
            found.append(Alignment(self.segments.name(row), pieces, real))
        model.train(training)
        return found

    def _batch(self, model: Seq2Seq, batch: Batch, texts: dict[int, str]) -> dict[str, float]:
        """Sums over the tokens of a batch; its hypotheses go into `texts` unless only the loss is wanted."""
        encoded = model.read(batch.source, batch.source_lengths)
        memory = model.remember(encoded)
        decoded = model.decode(memory, batch.target[:, :-1])
        _, likelihood = label_likelihood(model.output, decoded.features, batch, smoothing=0.0)
        health = attention_health(decoded.attention, encoded.mask.sum(1), batch.target_lengths)
        sums = {"tokens": int(batch.target_lengths.sum()), "loss": likelihood.item(), **vars(health)}
        if model.ctc is not None:
            sums["ctc_loss"] = ctc_likelihood(model, encoded, batch).item()
        if self.metric is not None:
            limits = self.codec.longest_targets(batch.source_lengths)
            found = decode_encoded(model, encoded, limits, self.greedy)
            for row, hypotheses in zip(batch.indices, found, strict=True):
                texts[row] = self.segments.text(row, hypotheses[0].tokens)
        return sums
