"""Which of ten languages a user-interface string is in, by a few characters at each step.

The strings are those of Home Assistant (see `recipes.translation.corpora.ui_strings`), split by component. A string
that two languages share belongs to neither, and no string of dev or test stands in another part.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from recipes.shapes.classification.naive_bayes import pieces, tuned
from recipes.shapes.scoring import labels_of, percent_equal
from recipes.shapes.symbols import Symbols
from recipes.shapes.task import Headline, Part, ShapeRunConfig, Task
from recipes.translation.corpora import ui_strings
from s2s.config import Count, ReaderConfig, Section
from s2s.data.labelled import Examples
from s2s.rng import python_random
from s2s.shapes import build_reader
from s2s.training.shapes import LabelObjective

LANGUAGES = ("cs", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "sv")
MOST = 5
"""Characters that stand side by side for the stronger naive Bayes classifier."""

LEAST = 3
"""Letters that a string must have, and times that a character must come in training to be known."""

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")

Labelled = list[tuple[str, int]]
"""Strings with the number of their language."""


class Data(Section):
    """How many strings of each language train and are tested on, at most; texts have at most `longest` characters.

    A step of the encoder reads so many `characters` that stand side by side, and the next begins one further on.
    """

    kind: Literal["languages"]
    train: Count = 6000
    dev: Count = 300
    test: Count = 500
    longest: Annotated[int, Field(ge=LEAST, strict=True)] = 100
    characters: Count = 1


class Config(ShapeRunConfig):
    """A run of this recipe."""

    data: Data
    model: ReaderConfig


def build(config: Config, from_dir: Path | None) -> Task:
    """The task; `from_dir` holds the wheel, which is fetched without it."""
    parts = read(config.data, from_dir)
    steps = {
        name: [(pieces(text, config.data.characters), label) for text, label in part] for name, part in parts.items()
    }
    symbols = Symbols.of((text for text, _ in steps["train"]), least=LEAST)
    sets = {name: Examples([(symbols.source(text), [label]) for text, label in part]) for name, part in steps.items()}
    return Task(
        "ui_strings",
        f"{len(LANGUAGES)} languages",
        sets["train"],
        sets["dev"],
        sets["test"],
        model=lambda: build_reader(config.model, len(symbols), len(LANGUAGES), config.regularisation),
        objective=lambda model: LabelObjective(model, config.regularisation.label_smoothing),
        score=lambda model: {
            "test": score([row[0] for row in labels_of(model, sets["test"])], parts, config.data.characters)
        },
        headline=Headline(
            "accuracy",
            "strings whose language is right, in percent",
            "higher",
            ("most frequent language", baseline_name(config.data.characters)),
        ),
    )


def score(found: list[int], parts: Mapping[str, Labelled], characters: int) -> Part:
    """The accuracies, in percent, of the languages found in the test part, and of the baselines.

    One naive Bayes classifier sees as many `characters` side by side as a step of the model, another one up to five.
    """
    known, expected = [label for _, label in parts["train"]], [label for _, label in parts["test"]]
    frequent = Counter(known).most_common(1)[0][0]
    answers = {"model": found, "most frequent language": [frequent] * len(expected)}
    for longest in sorted({characters, MOST}):
        bayes = tuned(parts["train"], parts["dev"], longest)
        answers[baseline_name(longest)] = [bayes.label(text) for text, _ in parts["test"]]
    return Part(len(expected), {name: {"accuracy": percent_equal(one, expected)} for name, one in answers.items()})


def baseline_name(longest: int) -> str:
    """How the results call a naive Bayes classifier."""
    return f"naive Bayes, up to {longest} characters"


def read(data: Data, from_dir: Path | None) -> dict[str, Labelled]:
    """The strings of each part, as many of each language as `data` allows, drawn by a fixed seed."""
    texts = {name: _unshared(part) for name, part in _by_language(data, from_dir).items()}
    seen = {text for part in ("train", "dev") for strings in texts[part] for text in strings}
    trained = {text for strings in texts["train"] for text in strings}
    texts["dev"] = [strings - trained for strings in texts["dev"]]
    texts["test"] = [strings - seen for strings in texts["test"]]
    parts: dict[str, Labelled] = {}
    for name, of_languages in texts.items():
        most = {"train": data.train, "dev": data.dev, "test": data.test}[name]
        parts[name] = [
            (text, label)
            for label, strings in enumerate(of_languages)
            for text in python_random(1, "languages", name, label).sample(sorted(strings), min(most, len(strings)))
        ]
    return parts


def _by_language(data: Data, from_dir: Path | None) -> dict[str, list[set[str]]]:
    """The strings of each part and language; those in English are the sources of the first other language."""
    parts: dict[str, list[set[str]]] = {"train": [], "dev": [], "test": []}
    for language in LANGUAGES:
        other = language if language != "en" else LANGUAGES[0]
        corpus = ui_strings.read(("en", other), from_dir)
        side = int(language != "en")
        for name, pairs in corpus.parts.items():
            parts[name].append(set(_plain((pair[side] for pair in pairs), data.longest)))
    return parts


def _plain(texts: Iterable[str], longest: int) -> Iterable[str]:
    """Texts without placeholders, which are the same in all languages; those that are too short or long are dropped."""
    for text in texts:
        plain = " ".join(_PLACEHOLDER.sub(" ", text).split())
        if sum(map(str.isalpha, plain)) >= LEAST and len(plain) <= longest:
            yield plain


def _unshared(of_languages: list[set[str]]) -> list[set[str]]:
    """The strings that one language alone has."""
    counts = Counter(text for strings in of_languages for text in strings)
    return [{text for text in strings if counts[text] == 1} for strings in of_languages]
