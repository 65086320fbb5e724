"""The parity of positions: whatever is read, the outputs are 0, 1, 0, 1 and so on.

A classic exercise: the inputs are noise, so that the network must keep count, modulo two, in its state.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from recipes.shapes.scoring import labels_of
from recipes.shapes.task import Headline, Part, ShapeRunConfig, System, Task, refuse_folder
from s2s.config import Count, OnlineTaggerConfig, Section
from s2s.data.labelled import Examples
from s2s.rng import generator
from s2s.shapes import build_online_tagger
from s2s.training.shapes import LabelObjective

SYMBOLS = 2


class Data(Section):
    """Random sequences of two symbols, all of one length but for those of a further test, which are twice as long."""

    kind: Literal["alternation"]
    length: Count = 100
    train: Count = 2000
    dev: Count = 100
    test: Count = 1000


class Config(ShapeRunConfig):
    """A run of this recipe."""

    data: Data
    model: OnlineTaggerConfig


def build(config: Config, from_dir: Path | None) -> Task:
    """The task, made by formula."""
    refuse_folder(from_dir)
    data = config.data
    train = made("train", data.train, data.length)
    tests = {
        "test": made("test", data.test, data.length),
        "twice as long": made("longer", data.test, 2 * data.length),
    }
    return Task(
        "random bits",
        f"length {data.length}",
        train,
        made("dev", data.dev, data.length),
        tests["test"],
        model=lambda: build_online_tagger(config.model, SYMBOLS, SYMBOLS, config.regularisation),
        objective=lambda model: LabelObjective(model, config.regularisation.label_smoothing),
        score=lambda model: {name: score(labels_of(model, test), train, test) for name, test in tests.items()},
        headline=Headline(
            "outputs", "outputs that are right, in percent", "higher", ("most frequent after the input",)
        ),
    )


def made(name: str, count: int, length: int) -> Examples:
    """So many pairs of random symbols, as vectors (S, 2) with a single one, and outputs 0, 1, 0, 1, ..."""
    draw = generator(1, "alternation", name)
    bits: Tensor = torch.randint(SYMBOLS, (count, length), generator=draw)
    rows = torch.nn.functional.one_hot(bits, SYMBOLS).float()
    return Examples([(row, [place % 2 for place in range(length)]) for row in rows])


def score(found: Sequence[Sequence[int]], train: Examples, test: Examples) -> Part:
    """Shares of outputs that are right, in percent: of all, of those at the worst position, and of whole sequences."""
    expected = [[int(label) for label in target] for _, target in test.pairs]
    answers = {"model": found, "most frequent after the input": after_inputs(train, test)}
    return Part(len(test), {name: _scores(rows, expected) for name, rows in answers.items()})


def _scores(found: Sequence[Sequence[int]], expected: Sequence[Sequence[int]]) -> System:
    right = torch.tensor(found) == torch.tensor(expected)
    return {
        "outputs": 100 * right.float().mean().item(),
        "worst position": 100 * right.float().mean(0).min().item(),
        "whole sequences": 100 * right.all(1).float().mean().item(),
    }


def after_inputs(train: Examples, test: Examples) -> list[list[int]]:
    """The output that each symbol has most often in training, wherever it stands: what ignores positions can do."""
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for source, target in train.pairs:
        for symbol, output in zip(_symbols(source), target, strict=True):
            counts[symbol][output] += 1
    return [[counts[symbol].most_common(1)[0][0] for symbol in _symbols(source)] for source, _ in test.pairs]


def _symbols(source: object) -> list[int]:
    assert isinstance(source, Tensor)
    found: list[int] = source.argmax(1).tolist()
    return found
