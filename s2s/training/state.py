"""All that a run needs to go on as if it had never stopped, as named tensors and a JSON record."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from s2s.checkpoint import restore, unique
from s2s.group import Group
from s2s.training.averaging import MovingAverage
from s2s.training.objectives import Objective
from s2s.training.schedule import Position


@dataclass
class Progress:
    """What the loop itself remembers: the position, and how validation went.

    `best` is the rank of the best score and `without_gain` counts validations since; `validated` is the update that was
    scored last; `averaged` tells that the weights are the mean of the best checkpoints, so that training is over.
    `skipped` counts the last updates, in a row, whose gradient was not finite; `lowest` is the lowest mean loss of
    training between two validations.
    """

    position: Position = field(default_factory=Position)
    best: float | None = None
    without_gain: int = 0
    validated: int | None = None
    averaged: bool = False
    skipped: int = 0
    lowest: float | None = None


def collect(
    model: nn.Module,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    average: MovingAverage | None,
    progress: Progress,
    group: Group,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and record of a training state: weights, optimiser, averages, what batches leave, generators."""
    tensors = {f"weight.{name}": tensor for name, tensor in unique(model).items()}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in moments.items()}
    if average is not None:
        tensors |= {f"average.{number}": value for number, value in enumerate(average.averages)}
    for rank, states in enumerate(group.gather(_generators() | _prefixed(objective.carried(), "carried"))):
        tensors |= {f"{name}.{rank}": state for name, state in states.items()}
    return tensors, asdict(progress)


def apply(
    tensors: dict[str, Tensor],
    record: dict[str, Any],
    model: nn.Module,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    average: MovingAverage | None,
    group: Group,
) -> Progress:
    """Put a training state back where `collect` took it from.

    Where there were fewer processes, the generators of this one stay as they are; where there was another number of
    them, nothing is left of the batch before.
    """
    restore(model, _below(tensors, "weight"))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _below(tensors, "optimiser").items():
        number, _, key = name.partition(".")
        moments.setdefault(int(number), {})[key] = value
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    if average is not None:
        for own, saved in zip(average.averages, _in_order(tensors, "average"), strict=True):
            own.copy_(saved)
    same_count = len(_below(tensors, "generator.cpu")) == group.size  # else rows are dealt otherwise
    rank = f".{group.rank}"
    left = {name.removesuffix(rank): value for name, value in _below(tensors, "carried").items() if name.endswith(rank)}
    objective.carry(left if same_count else {})
    if (state := tensors.get(f"generator.cpu.{group.rank}")) is not None:
        torch.set_rng_state(state)
    if torch.cuda.is_available() and (state := tensors.get(f"generator.cuda.{group.rank}")) is not None:
        torch.cuda.set_rng_state(state)
    return Progress(**record | {"position": Position(**record["position"])})


def _generators() -> dict[str, Tensor]:
    """The states of this process's random generators, by name."""
    states = {"generator.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["generator.cuda"] = torch.cuda.get_rng_state()
    return states


def _prefixed(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix + "."): value for name, value in tensors.items() if name.startswith(prefix + ".")}


def _in_order(tensors: dict[str, Tensor], prefix: str) -> list[Tensor]:
    numbered = _below(tensors, prefix)
    return [numbered[str(number)] for number in range(len(numbered))]
