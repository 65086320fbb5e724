"""All that a run needs to go on as if it had never stopped, as named tensors and a JSON record."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from s2s.checkpoint import restore, unique
from s2s.model import Seq2Seq
from s2s.training.averaging import MovingAverage
from s2s.training.schedule import Position


@dataclass
class Progress:
    """What the loop itself remembers: the position, and how validation went.

    `best` is the rank of the best score and `without_gain` counts validations since; `validated` is the update that was
    scored last; `averaged` tells that the weights are the mean of the best checkpoints, so that training is over.
    """

    position: Position = field(default_factory=Position)
    best: float | None = None
    without_gain: int = 0
    validated: int | None = None
    averaged: bool = False


def collect(
    model: Seq2Seq, optimiser: torch.optim.Optimizer, average: MovingAverage | None, progress: Progress
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and record of a training state: weights, optimiser, averages, random generators, progress."""
    tensors = {f"weight.{name}": tensor for name, tensor in unique(model).items()}
    for number, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value for name, value in moments.items()}
    if average is not None:
        tensors |= {f"average.{number}": value for number, value in enumerate(average.averages)}
    tensors["generator.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["generator.cuda"] = torch.cuda.get_rng_state()
    return tensors, asdict(progress)


def apply(
    tensors: dict[str, Tensor],
    record: dict[str, Any],
    model: Seq2Seq,
    optimiser: torch.optim.Optimizer,
    average: MovingAverage | None,
) -> Progress:
    """Put a training state back where `collect` took it from."""
    restore(model, _below(tensors, "weight"))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _below(tensors, "optimiser").items():
        number, _, key = name.partition(".")
        moments.setdefault(int(number), {})[key] = value
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    if average is not None:
        for own, saved in zip(average.averages, _in_order(tensors, "average"), strict=True):
            own.copy_(saved)
    torch.set_rng_state(tensors["generator.cpu"])
    if torch.cuda.is_available() and "generator.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["generator.cuda"])
    return Progress(**record | {"position": Position(**record["position"])})


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix + "."): value for name, value in tensors.items() if name.startswith(prefix + ".")}


def _in_order(tensors: dict[str, Tensor], prefix: str) -> list[Tensor]:
    numbered = _below(tensors, prefix)
    return [numbered[str(number)] for number in range(len(numbered))]
