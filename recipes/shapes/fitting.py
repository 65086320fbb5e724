"""Train the model of a task with the library's trainer, and bring the best one back."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from recipes.shapes.task import ShapeRunConfig, Task
from s2s.checkpoint import TrainingSummary, best_checkpoints, restore
from s2s.checkpoint.record import WEIGHTS
from s2s.checkpoint.tensors import from_bytes, to_bytes
from s2s.data.batches import TrainingBatches
from s2s.errors import UsageError
from s2s.files import write_bytes
from s2s.rng import derive
from s2s.training.shapes import ShapeValidator
from s2s.training.trainer import Trainer


def fit(config: ShapeRunConfig, task: Task, run: Path) -> Trainer:
    """Train a fresh model in the folder `run`, which must exist; the trainer's model is then the best one on dev.

    It is not resumed when it is stopped: it takes minutes.
    """
    torch.manual_seed(derive(config.seed, "model"))
    model = task.model()
    objective = task.objective(model)
    budget = config.training.budget
    batches = TrainingBatches(task.train, budget, config.seed, config.training.shortest_first, collation=task.collate)
    device = torch.device("cpu")
    validator = ShapeValidator(task.dev, budget, task.collate, objective, device)
    summary = TrainingSummary(updates=0, seed=config.seed, data=fingerprint(task), segments=len(task.train))
    trainer = Trainer(config, model, objective, batches, validator, _save, summary, run, device)
    trainer.train(lambda: None, batches.epoch)
    load_best(model, run)
    return trainer


def load_best(model: nn.Module, run: Path) -> None:
    """Put the weights of a run's best checkpoint into a model of its shape; UsageError when there is none."""
    folders = best_checkpoints(run)
    if not folders:
        raise UsageError(f"{run} is not a finished run: it has no checkpoint with a score. Train it anew.")
    path = folders[0] / WEIGHTS
    restore(model, from_bytes(path.read_bytes(), path))
    model.eval()


def fingerprint(task: Task) -> str:
    """SHA-256 of what a task trains and validates with."""
    found = hashlib.sha256()
    for part in (task.train, task.dev):
        for pair in part.pairs:
            for side in pair:
                found.update(side.numpy().tobytes() if isinstance(side, Tensor) else repr(list(side)).encode())
    return found.hexdigest()


def count(model: nn.Module) -> int:
    """How many weights a model has."""
    return sum(weight.numel() for weight in model.parameters())


def _save(folder: Path, summary: TrainingSummary, weights: Mapping[str, Tensor]) -> None:
    """Weights alone: what they mean stands in the run's config."""
    write_bytes(folder / WEIGHTS, to_bytes(weights))
