"""From a vector, which holds a language and three digits, to the number in words, character by character.

The vector is four choices side by side, each with a single one: it has no order and no length, but the words have. The
numbers of dev and test are in no language among those that train.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from pydantic import model_validator
from torch import Tensor

from recipes.shapes.generation.spelling import SPELLINGS
from recipes.shapes.scoring import percent_equal
from recipes.shapes.symbols import Symbols
from recipes.shapes.task import Headline, Part, ShapeRunConfig, Task, refuse_folder
from s2s.config import Count, Section, WriterConfig
from s2s.data.batches import collate
from s2s.data.labelled import Examples
from s2s.evaluation.error_rates import wer_and_cer
from s2s.rng import python_random
from s2s.search import SearchOptions
from s2s.shapes import SequenceWriter, build_writer, write
from s2s.training.shapes import WriterObjective

BELOW = 1000
LONGEST = 60
"""Characters that are written at most."""

WIDTH = len(SPELLINGS) + 3 * 10


class Data(Section):
    """How many of the thousand numbers are for dev and for test; the others train."""

    kind: Literal["numbers"]
    dev: Count = 50
    test: Count = 200

    @model_validator(mode="after")
    def _some_are_left(self) -> "Data":
        if self.dev + self.test >= BELOW:
            raise ValueError(f"dev and test take {self.dev + self.test:,} of {BELOW:,} numbers: none is left to train")
        return self


class Config(ShapeRunConfig):
    """A run of this recipe."""

    data: Data
    model: WriterConfig


def build(config: Config, from_dir: Path | None) -> Task:
    """The task, made by formula."""
    refuse_folder(from_dir)
    drawn = python_random(1, "numbers").sample(range(BELOW), BELOW)
    cuts = (0, config.data.dev, config.data.dev + config.data.test, BELOW)
    numbers = {name: sorted(drawn[cuts[n] : cuts[n + 1]]) for n, name in enumerate(("dev", "test", "train"))}
    pairs = {name: [(language, number) for language in SPELLINGS for number in part] for name, part in numbers.items()}
    texts = {name: [SPELLINGS[language](number) for language, number in part] for name, part in pairs.items()}
    symbols = Symbols.of(texts["train"])
    vectors = {name: torch.stack([vector_of(*pair) for pair in part]) for name, part in pairs.items()}
    sets = {
        name: Examples(
            [(v.unsqueeze(0), symbols.encode(t)) for v, t in zip(vectors[name], texts[name], strict=True)], 1
        )
        for name in pairs
    }

    def score(model: SequenceWriter) -> dict[str, Part]:
        found = written(model, vectors["test"], symbols)
        nearest = nearest_texts(vectors["train"], texts["train"], vectors["test"])
        return {"test": scored({"model": found, "text of the nearest vector": nearest}, texts["test"])}

    return Task(
        "numbers below 1,000",
        "-".join(SPELLINGS),
        sets["train"],
        sets["dev"],
        sets["test"],
        model=lambda: build_writer(config.model, WIDTH, len(symbols), config.regularisation),
        objective=lambda model: WriterObjective(model, config.regularisation.label_smoothing),
        score=score,
        headline=Headline("exact", "texts without any error, in percent", "higher", ("text of the nearest vector",)),
        collate=collate,
    )


def vector_of(language: str, number: int) -> Tensor:
    """The language and the three digits of a number, as one vector (F)."""
    digits = [number // 100, number // 10 % 10, number % 10]
    places = [list(SPELLINGS).index(language), *(len(SPELLINGS) + 10 * n + digit for n, digit in enumerate(digits))]
    vector = torch.zeros(WIDTH)
    vector[places] = 1.0
    return vector


def written(model: SequenceWriter, vectors: Tensor, symbols: Symbols) -> list[str]:
    """What the model writes, by greedy search."""
    hypotheses = write(model, vectors, LONGEST, SearchOptions(beam_size=1))
    return ["".join(symbols.decode(best.tokens)) for best, *_ in hypotheses]


def nearest_texts(known: Tensor, texts: Sequence[str], vectors: Tensor) -> list[str]:
    """The text of the training vector that shares most with each vector (N, F); of equals the first."""
    return [texts[row] for row in (vectors @ known.T).argmax(1).tolist()]


def scored(answers: dict[str, list[str]], expected: list[str]) -> Part:
    """The share of texts without an error, and the rate of wrong characters, in percent."""
    return Part(
        len(expected),
        {
            name: {"exact": percent_equal(texts, expected), "CER": wer_and_cer(texts, expected)[1].value}
            for name, texts in answers.items()
        },
    )
