"""The loop: updates, validations and checkpoints until a limit is reached, patience ends or a signal stops it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from signal import Signals
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from s2s.checkpoint import (
    Score,
    best_checkpoints,
    checkpoint_folder,
    load_weights,
    publish,
    restore,
    save_training_state,
    unique,
)
from s2s.checkpoint.record import TrainingSummary
from s2s.config import BaseRunConfig
from s2s.data.batches import Batch, EpochSource
from s2s.data.loading import EpochBatches
from s2s.errors import NonFiniteError, Stopped, TrainingError
from s2s.files import NO_ROOM
from s2s.group import Group
from s2s.log import clock, say, warn
from s2s.rng import derive
from s2s.training.averaging import DECAY, MovingAverage
from s2s.training.guards import MAX_SKIPPED, MAX_UNSAVED, LossWatch, keep_batches
from s2s.training.objectives import Objective
from s2s.training.optimiser import build_optimiser, set_learning_rate
from s2s.training.pictures import Alignment
from s2s.training.report import Meter, append, drop_rows_after
from s2s.training.schedule import fraction_done, learning_rate
from s2s.training.state import Progress, apply, collect
from s2s.training.steps import Updater
from s2s.training.validation import Validation

FLAT, ADVICE_FROM = 0.1, 0.5
ADVICE = (
    "attention is flat: the largest of a token's weights is {:.2f} on average. It has not learnt where to look. Train "
    "longer, lower training.learning_rate, raise training.ctc.alone, or see whether the texts belong to their sources."
)
"""Said when more than half of a run has passed."""


Save = Callable[[Path, TrainingSummary, Mapping[str, Tensor]], None]
"""Writes a model with these weights, named as by `unique`, into an existing folder."""


class Validate(Protocol):
    """Scores models on a development part."""

    def __call__(self, model: Any) -> Validation:
        """The scores of a model, which is left in training mode if it was."""

    def alignments(self, model: Any) -> list[Alignment]:
        """Where its attention looks, if it has any, in some segments of the part."""


class Trainer:
    """Trains one model in one run directory; everything that it needs to go on is in its last checkpoint."""

    def __init__(
        self,
        config: BaseRunConfig,
        model: nn.Module,
        objective: Objective,
        batches: EpochSource,
        validator: Validate,
        save: Save,
        summary: TrainingSummary,
        run: Path,
        device: torch.device,
        group: Group | None = None,
    ) -> None:
        self.config = config
        self.model = model.to(device)
        self.batches = batches
        self.validator = validator
        self.objective = objective
        self.save = save
        self.summary = summary
        self.run_folder = run
        self.metrics = run / "metrics.jsonl"
        self.group = group or Group()
        if not self.group.leads:
            torch.manual_seed(derive(config.seed, "rank", self.group.rank))  # other dropout for other segments
        self.optimiser = build_optimiser(model, config.training)
        self.update = Updater(model, objective, self.optimiser, config.training, device, self.group)
        settings = config.training
        self.average = (
            MovingAverage(model, DECAY if settings.ema_decay is None else settings.ema_decay)
            if settings.averaging == "ema"
            else None
        )
        self.progress = Progress()
        self._unsaved = 0
        self._loss = LossWatch(device)
        self._clock = time.monotonic()

    def resume(self, tensors: dict[str, torch.Tensor], record: dict[str, object]) -> None:
        """Go on from a training state; what was measured after it is dropped, since it will be measured again."""
        self.progress = apply(tensors, record, self.model, self.objective, self.optimiser, self.average, self.group)
        if self.group.leads:
            drop_rows_after(self.metrics, self.progress.position.update)

    def fraction(self) -> float:
        """How much of the run's limit is used up."""
        return fraction_done(self.config.training, self.progress.position, len(self.batches))

    def train(self, stop: Callable[[], Signals | None], epoch_batches: EpochBatches) -> None:
        """Train to the end on the batches of each epoch; Stopped, after a checkpoint, when `stop` names a signal."""
        self.group.copy_from_leader(list(unique(self.model).values()))
        meter = Meter(self.metrics if self.group.leads else None, self.fraction())
        self._clock = time.monotonic()
        position = self.progress.position
        while not self._over():
            for batches in self._epoch(epoch_batches):
                self._one_update(batches, meter)
                if position.update % self.config.training.validation_interval == 0:
                    meter.report(self.fraction(), always=True, **self._facts())
                    self._watch_loss()
                    self._validate()
                    meter.resume()
                if (received := self._any(stop())) is not None:
                    if self.progress.validated != position.update or self._unsaved:
                        self._checkpoint(None, must_save=True)
                    raise Stopped(
                        f"Stopped at update {position.update:,}; the same command goes on from there.", received
                    )
                if self._over():
                    break
            else:
                position.epoch, position.batches, position.segments = position.epoch + 1, 0, 0
        meter.report(self.fraction(), always=True, **self._facts())
        if self.progress.validated != position.update:
            self._validate()

    def _epoch(self, epoch_batches: EpochBatches) -> Iterator[list[Batch]]:
        """The batches of one update after the other, as many as the running epoch still has."""
        position = self.progress.position
        epoch = epoch_batches(position.epoch, position.batches)
        while batches := list(islice(epoch, self.config.training.accumulation)):
            yield batches

    def _one_update(self, batches: list[Batch], meter: Meter) -> None:
        position = self.progress.position
        settings = self.config.training
        set_learning_rate(self.optimiser, learning_rate(settings, position.update, self.fraction()))
        try:
            sums, tokens = self.update(batches, self.fraction())
        except NonFiniteError as error:
            self._skip(error, batches)
            sums, tokens = {}, 0
        position.update += 1
        position.batches += len(batches)
        position.segments += int(sum(self.group.numbers(sum(len(batch.indices) for batch in batches))))
        self._count_time()
        if sums:
            self.progress.skipped = 0
            if self.average is not None:
                self.average.update(position.update)
            self._loss.add(sums["loss"], tokens)
            meter.add(sums, tokens)
        meter.report(self.fraction(), **self._facts())

    def _skip(self, error: NonFiniteError, batches: list[Batch]) -> None:
        """Count an update that was not made; after too many in a row keep the last one's batches, and fail."""
        self.progress.skipped += 1
        if self.progress.skipped <= MAX_SKIPPED:
            warn(str(error))
            return
        path = self.run_folder / f"nonfinite-{self.group.rank}.safetensors"
        keep_batches(batches, path)
        message = f"{error} {MAX_SKIPPED} updates before it were not made either. Its batches are kept in {path}."
        self.group.fail(NonFiniteError(message))

    def _watch_loss(self) -> None:
        """TrainingError, before anything is saved, when training diverged."""
        try:
            self.progress.lowest = self._loss.lowest(self.progress.lowest)
        except TrainingError as error:
            self.group.fail(error)

    def _count_time(self) -> None:
        """Add what passed since the last call, or since training started, by the leader's clock."""
        now = time.monotonic()
        self.progress.position.seconds += self.group.numbers(now - self._clock)[0]
        self._clock = now

    def _any(self, received: Signals | None) -> Signals | None:
        """The signal that some process received."""
        return next((Signals(int(one)) for one in self.group.numbers(received or 0) if one), None)

    def _facts(self) -> dict[str, Any]:
        position = self.progress.position
        return {"update": position.update, "epoch": position.epoch, "seconds": round(position.seconds, 2)}

    def _over(self) -> bool:
        patience = self.config.training.patience
        impatient = patience is not None and self.progress.without_gain >= patience
        return self.progress.averaged or self.fraction() >= 1 or impatient

    def _validate(self) -> None:
        """Score the model that would be shipped now, and keep it as a checkpoint."""
        started = time.monotonic()
        with self._shipped():
            validation = self.validator(self.model)
        self._count_time()
        score = self._score(validation)
        better = self.progress.best is None or score.rank > self.progress.best
        self.progress.best = score.rank if better else self.progress.best
        self.progress.without_gain = 0 if better else self.progress.without_gain + 1
        self.progress.validated = self.progress.position.update
        folder = self._checkpoint(validation, must_save=self._over())
        if self.group.leads:
            append(self.metrics, {"kind": "validation", **self._facts(), **validation.facts()})
        took = clock(time.monotonic() - started)
        attention = validation.attention
        if attention is not None and self.fraction() >= ADVICE_FROM and attention.focus < FLAT:
            say(ADVICE.format(attention.focus))
        wrote = "nothing was saved" if folder is None else f"wrote {folder}"
        say(f"dev: {validation.describe()}{' (best)' if better else ''}; {wrote} ({took})")

    def add_average_of_best(self) -> None:
        """Put the mean of the best checkpoints' weights into the model, and keep it as one more checkpoint."""
        if self.progress.averaged:
            return
        folders = best_checkpoints(self.run_folder)[: self.config.training.keep_best]
        weights = [load_weights(folder) for folder in folders]
        mean = {name: torch.stack([one[name] for one in weights]).mean(0) for name in weights[0]}
        restore(self.model, mean)
        self.summary = self.summary.model_copy(update={"averaged": tuple(folder.name for folder in folders)})
        self.progress.position.update += 1
        self.progress.averaged = True
        self._validate()

    def alignments(self) -> list[Alignment]:
        """Where the attention of the model that is shipped looks in some segments of dev."""
        with self._shipped():
            return self.validator.alignments(self.model)

    def _score(self, validation: Validation) -> Score:
        metric = self.config.training.validation_metric
        assert metric is not None, "a run's config has one"
        return Score(metric, validation.loss if metric == "loss" else validation.scores[metric].value)

    def _shipped(self) -> AbstractContextManager[None]:
        return nullcontext() if self.average is None else self.average.in_place()

    def _checkpoint(self, validation: Validation | None, must_save: bool) -> Path | None:
        """Write a checkpoint, the leader for all, and return its folder when it is there.

        None, and a warning, when the disk is full; an error when that was so before or the checkpoint must be saved.
        """
        tensors, record = collect(self.model, self.objective, self.optimiser, self.average, self.progress, self.group)
        with self._shipped():
            weights = {name: tensor.clone() for name, tensor in unique(self.model).items()}

        def write(folder: Path) -> None:
            dev = () if validation is None else validation.dev_scores()
            position = self.progress.position
            summary = self.summary.model_copy(
                update={
                    "updates": position.update - self.progress.averaged,
                    "minutes": round(position.seconds / 60, 2),
                    "dev": dev,
                }
            )
            self.save(folder, summary, weights)
            save_training_state(folder, tensors, record)

        score = None if validation is None else self._score(validation)
        update, saved = self.progress.position.update, True
        with self.group.together():
            if self.group.leads:
                try:
                    publish(self.run_folder, update, write, score, self.config.training.keep_best)
                except OSError as error:
                    if error.errno not in NO_ROOM or must_save or self._unsaved + 1 >= MAX_UNSAVED:
                        raise
                    saved = False
                    warn(
                        f"{self.run_folder} has no room for the checkpoint of update {update:,} ({error.strerror}). "
                        "Those before it are whole, and training goes on. Make room."
                    )
        saved = self.group.share(saved)
        self._unsaved = 0 if saved else self._unsaved + 1
        return checkpoint_folder(self.run_folder, update) if saved else None
