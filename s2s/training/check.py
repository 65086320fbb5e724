"""`s2s train --check`: everything that a run needs, tried with one update, and what the run would take."""

import math
import resource
import statistics
import sys
import time

import torch

from s2s.config import BaseRunConfig
from s2s.data.batches import Batch
from s2s.data.prepared import open_data
from s2s.hardware import open_device
from s2s.log import clock, say
from s2s.training.building import TrainOptions, build_trainer
from s2s.training.memory import keep_freed_memory
from s2s.training.trainer import Trainer

TIMED_UPDATES = 5
RUNS_END = 1.0  # the fraction at which all losses are computed that the config has


def check_run(config: BaseRunConfig, options: TrainOptions) -> None:
    """Read config and data, build the model, make an update, and say parameters, memory and expected time.

    The errors are those of `s2s.training.run.train`; nothing is written.
    """
    keep_freed_memory()
    device = open_device(options.device, options.threads)
    trainer = build_trainer(config, options, device, open_data(options.data))
    parameters = sum(weight.numel() for weight in trainer.model.parameters())
    say(f"{parameters:,} parameters, {trainer.summary.segments:,} training segments")
    batches = trainer.batches.epoch(0)
    group = [batch for batch, _ in zip(batches, range(config.training.accumulation), strict=False)]
    sums, tokens = trainer.update(group, RUNS_END)
    say(f"the first update: {tokens:,} target tokens, loss {sums['loss'].item() / tokens:.3f} per token")
    seconds = _median_time(trainer, group)
    say(f"{seconds:.2f} s an update, {tokens / seconds:,.0f} target tokens/s, threads: {torch.get_num_threads()}")
    _say_expected_time(config, expected_updates(config, trainer.batches.count()), seconds)
    say(f"memory at its highest: {_peak_memory() / 2**20:,.0f} MiB")


def expected_updates(config: BaseRunConfig, batches_per_epoch: int) -> int | None:
    """How many updates the limits allow; None when only minutes limit the run."""
    settings = config.training
    limits = []
    if settings.max_updates is not None:
        limits.append(settings.max_updates)
    if settings.max_epochs is not None:
        limits.append(math.ceil(settings.max_epochs * batches_per_epoch / settings.accumulation))
    return min(limits) if limits else None


def _say_expected_time(config: BaseRunConfig, updates: int | None, seconds: float) -> None:
    minutes = config.training.max_minutes
    allowed = math.inf if minutes is None else 60 * minutes
    if updates is None or updates * seconds > allowed:
        say(f"the run: {clock(allowed)} as max_minutes says, about {allowed / seconds:,.0f} updates")
    else:
        say(f"the run: about {updates:,} updates in {clock(updates * seconds)}, and the time of validation")


def _peak_memory() -> int:
    """Bytes of resident memory at its highest so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _median_time(trainer: Trainer, group: list[Batch]) -> float:
    times = []
    for _ in range(TIMED_UPDATES):
        started = time.perf_counter()
        trainer.update(group, RUNS_END)
        times.append(time.perf_counter() - started)
    return statistics.median(times)
