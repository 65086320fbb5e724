"""What clipping does: plain gradient descent through a recurrence whose gradients explode.

Plain, because the library's AdamW divides each gradient by its own running size, so that a constant factor has no
effect on it.
"""

from itertools import chain, count, islice

import torch
from torch import nn

from recipes.results import Result
from recipes.shapes.memory.copying import Config, build
from s2s.data.batches import TrainingBatches
from s2s.rng import derive


def descend(config: Config, rate: float, clip_norm: float | None) -> Result:
    """The accuracy in percent, the largest norm of a gradient, and the updates made: as many as the config says.

    It ends early, and has no accuracy, where a gradient is no number.
    """
    task = build(config, None)
    torch.manual_seed(derive(config.seed, "model"))
    model = task.model()
    objective = task.objective(model)
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    batches = TrainingBatches(task.train, config.training.budget, config.seed, collation=task.collate)
    norms: list[float] = []
    for batch in islice(chain.from_iterable(map(batches.epoch, count())), config.training.max_updates):
        optimiser.zero_grad()
        torch.autograd.backward(objective(batch, 0.0)["loss"] / len(batch.indices))
        norm = nn.utils.clip_grad_norm_(model.parameters(), clip_norm or float("inf"))
        if not torch.isfinite(norm):
            return {"accuracy": None, "largest norm": _rounded(norms), "updates": len(norms)}
        norms.append(norm.item())
        optimiser.step()
    accuracy = task.score(model.eval())["test"].systems["model"]["accuracy"]
    return {"accuracy": accuracy, "largest norm": _rounded(norms), "updates": len(norms)}


def _rounded(norms: list[float]) -> float | None:
    return float(f"{max(norms):.3g}") if norms else None
