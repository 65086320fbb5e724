"""What a recipe of this folder says of itself: its data, its model, what is minimised, and its scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator
from torch import nn

from s2s.config import BaseRunConfig, Section, WriterConfig
from s2s.config.run import IDLE_WEIGHT_DROPOUT
from s2s.data.batches import Collate
from s2s.data.labelled import Examples, collate_labels
from s2s.errors import DataError, UsageError
from s2s.training.objectives import Objective

System = dict[str, float]
"""Scores of the model or of a baseline, by metric."""


class ShapeRunConfig(BaseRunConfig):
    """One training run of a recipe; `data.kind` names the recipe."""

    data: Section

    @model_validator(mode="after")
    def _settle(self) -> "ShapeRunConfig":
        """Refuse what has no effect here, and set what the trainer needs."""
        training = self.training
        wrong = [
            f"training.{name} has no effect here: remove it"
            for name in ("ctc", "truncation", "batch_frames")
            if getattr(training, name) is not None
        ]
        if training.validation_metric not in (None, "loss"):
            wrong.append(f'training.validation_metric = "{training.validation_metric}" scores texts: set it to "loss"')
        if training.averaging == "best":
            wrong.append('training.averaging = "best" needs model directories: set it to "ema" or "none"')
        acting = _acting(self.model)
        wrong += [
            f"regularisation.{name} has no effect on this model: set it to 0"
            for name, value in self.regularisation
            if value and name not in acting
        ]
        cell = getattr(getattr(self.model, "encoder", self.model), "cell", None)
        if self.regularisation.weight_dropout and cell == "min-gru":
            wrong.append(IDLE_WEIGHT_DROPOUT)
        if training.batch_tokens is None:
            wrong.append("training.batch_tokens is missing: it limits the steps of a batch")
        if wrong:
            raise ValueError("; ".join(wrong))
        object.__setattr__(self, "training", training.model_copy(update={"validation_metric": "loss"}))
        return self


def _acting(model: Section) -> set[str]:
    """The keys of `regularisation` that have an effect on a model of such a shape.

    Layers are dropped out between each other; an encoder's steps, too, but not the last outputs that "last" pools.
    """
    shape = getattr(model, "encoder", model)
    if not hasattr(shape, "layers"):  # a bare cell
        return {"label_smoothing"}
    steps = shape is not model and getattr(model, "pooling", None) != "last"
    return {
        "embedding_dropout",
        "output_dropout",
        "weight_dropout",
        "label_smoothing",
        *(["layer_dropout"] if steps or shape.layers > 1 else []),
        *(["source_word_dropout"] if getattr(model, "frontend", None) == "embedding" else []),
        *(["target_word_dropout"] if isinstance(model, WriterConfig) else []),
    }


@dataclass(frozen=True)
class Part:
    """A scored part: its size, and the scores of the model and of its baselines."""

    segments: int
    systems: Mapping[str, System]


@dataclass(frozen=True)
class Headline:
    """The score that stands for all: its metric, how it is computed, and whether a higher one is better."""

    metric: str
    signature: str
    better: Literal["higher", "lower"]
    baselines: tuple[str, ...]
    """The systems that the model must beat."""


@dataclass(frozen=True)
class Task:
    """All that training and scoring need; `test`, of several parts the first, is scored on a finished run alone."""

    corpus: str
    languages: str
    train: Examples
    dev: Examples
    test: Examples
    model: Callable[[], nn.Module]
    objective: Callable[[Any], Objective]
    score: Callable[[Any], Mapping[str, Part]]
    headline: Headline
    collate: Collate = collate_labels

    def __post_init__(self) -> None:
        """DataError when there is nothing to learn from, to validate with or to score."""
        empty = [name for name in ("train", "dev", "test") if not len(getattr(self, name))]
        if empty:
            raise DataError(f"{self.corpus} has nothing for {' and '.join(empty)}.")


def refuse_folder(from_dir: Path | None) -> None:
    """UsageError when a folder is given for data that no folder holds."""
    if from_dir is not None:
        raise UsageError("--from-dir has no effect here: this data is made by formula. Leave it out.")


Build = Callable[[Any, Path | None], Task]
"""From a config, and the folder that holds the data where it is not fetched or made, to a task."""
