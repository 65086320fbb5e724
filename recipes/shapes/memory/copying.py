"""Copying over a delay: a symbol is read, then noise, then a sign that asks for the symbol.

The lengths within a batch differ, since delays go from half of `data.delay` to all of it: sequences are padded, and
the answer is read at each sequence's own end. Dev and test ask after exactly `data.delay` steps of noise.
"""

from pathlib import Path
from typing import Literal

import torch
from pydantic import model_validator
from torch import Tensor, nn

from recipes.shapes.scoring import labels_of, percent_equal
from recipes.shapes.task import Headline, Part, ShapeRunConfig, Task, refuse_folder
from s2s.config import Count, Section
from s2s.config.model import Cell
from s2s.config.section import Positive
from s2s.data.labelled import Examples
from s2s.nn.initialisation import initialise
from s2s.nn.rnn import RecurrentLayer, State
from s2s.rng import generator
from s2s.training.shapes import LabelObjective


class Data(Section):
    """One of `symbols` is to be remembered; as many others are noise."""

    kind: Literal["memory"]
    delay: Count
    symbols: Count = 8
    train: Count = 8000
    dev: Count = 200
    test: Count = 1000


class CellConfig(Section):
    """One layer of one cell; `gain` multiplies its recurrent matrices, which are orthogonal, before training."""

    cell: Cell = "lstm"
    width: Count = 32
    gain: Positive = 1.0

    @model_validator(mode="after")
    def _something_is_multiplied(self) -> "CellConfig":
        if self.cell == "min-gru" and self.gain != 1:
            raise ValueError("gain has no effect on min-gru, which has no recurrent matrix: remove it")
        return self


class Config(ShapeRunConfig):
    """A run of this recipe."""

    data: Data
    model: CellConfig


class Recaller(nn.Module):
    """A recurrent layer over the sequence, and an affine map of its last real output."""

    def __init__(self, config: CellConfig, symbols: int) -> None:
        super().__init__()
        self.layer = RecurrentLayer(config.cell, 2 * symbols + 1, config.width)
        self.project = nn.Linear(config.width, symbols)
        initialise(self)
        if config.gain != 1:
            with torch.no_grad():
                self.layer.weights()[1].mul_(config.gain)

    def forward(self, source: Tensor, lengths: Tensor, state: State | None = None) -> Tensor:
        """Vectors (B, S, F) of lengths (B), read from a given state on (zeros if None), to logits (B, 1, O)."""
        outputs, _ = self.layer(source, state)
        logits: Tensor = self.project(outputs[torch.arange(len(lengths)), lengths - 1])
        return logits.unsqueeze(1)


def build(config: Config, from_dir: Path | None) -> Task:
    """The task, made by formula."""
    refuse_folder(from_dir)
    data = config.data
    test = made(data, "test", data.test)
    return Task(
        "copying",
        f"delay {data.delay}",
        made(data, "train", data.train),
        made(data, "dev", data.dev),
        test,
        model=lambda: Recaller(config.model, data.symbols),
        objective=lambda model: LabelObjective(model, config.regularisation.label_smoothing),
        score=lambda model: {"test": score(model, test, data.symbols)},
        headline=Headline("accuracy", "symbols that are recalled, in percent", "higher", ("chance",)),
    )


def made(data: Data, name: str, count: int) -> Examples:
    """So many sequences, each step a vector (2 * symbols + 1) with a single one, and the symbol that is asked for."""
    draw = generator(1, "memory", name, data.delay)
    shortest = (data.delay + 1) // 2 if name == "train" else data.delay
    pairs = []
    for _ in range(count):
        delay = int(torch.randint(shortest, data.delay + 1, (1,), generator=draw))
        symbol = torch.randint(data.symbols, (1,), generator=draw)
        noise = torch.randint(data.symbols, 2 * data.symbols, (delay,), generator=draw)
        steps = torch.cat([symbol, noise, torch.tensor([2 * data.symbols])])
        pairs.append((nn.functional.one_hot(steps, 2 * data.symbols + 1).float(), [int(symbol)]))
    return Examples(pairs)


def score(model: Recaller, test: Examples, symbols: int) -> Part:
    """The share of symbols that are recalled, in percent."""
    expected = [list(target) for _, target in test.pairs]
    accuracy = percent_equal(labels_of(model, test), expected)
    return Part(len(test), {"model": {"accuracy": accuracy}, "chance": {"accuracy": 100 / symbols}})
