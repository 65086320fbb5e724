"""How far a run has come, and the learning rate there."""

from dataclasses import dataclass

from s2s.config import CtcConfig, TrainingConfig


@dataclass
class Position:
    """Where training stands: what the next update needs to know to go on.

    `batches` and `segments` count within the running epoch; `seconds` are those of training and validation, over all
    of a run's restarts.
    """

    update: int = 0
    epoch: int = 0
    batches: int = 0
    segments: int = 0
    seconds: float = 0.0


def fraction_done(config: TrainingConfig, position: Position, segments_per_epoch: int) -> float:
    """The largest fraction of a limit that is used up; 1 or more means that training is over."""
    fractions = []
    if config.max_updates is not None:
        fractions.append(position.update / config.max_updates)
    if config.max_epochs is not None:
        fractions.append((position.epoch + position.segments / segments_per_epoch) / config.max_epochs)
    if config.max_minutes is not None:
        fractions.append(position.seconds / 60 / config.max_minutes)
    return max(fractions)


def learning_rate(config: TrainingConfig, update: int, fraction: float) -> float:
    """The rate of update `update` (from 0): a linear warm-up, then linear to zero at the limit, or 1 / sqrt(update).

    The inverse square root is that of Vaswani et al. 2017, scaled so that it meets the warm-up at `learning_rate`.
    """
    rising = (update + 1) / max(1, config.warmup_updates)
    if config.schedule == "linear":
        falling = max(0.0, 1 - fraction)
    else:
        falling = (max(1, config.warmup_updates) / (update + 1)) ** 0.5
    return config.learning_rate * min(rising, falling)


def ctc_share(config: CtcConfig | None, fraction: float) -> float:
    """CTC's share of the loss at a fraction of the run: 1 at first, then falling linearly to its weight; 0 without."""
    if config is None:
        return 0.0
    fallen = (fraction - config.alone) / config.annealing if config.annealing else float(fraction >= config.alone)
    return 1 - (1 - config.weight) * min(1.0, max(0.0, fallen))
