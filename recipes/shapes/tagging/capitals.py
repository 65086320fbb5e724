"""Capitals and punctuation of words that lost both: each word gets one tag, such as "Title." or "lower".

The strings are the English ones of Home Assistant (see `recipes.translation.corpora.ui_strings`), split by component.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

from recipes.shapes.scoring import labels_of, percent_equal
from recipes.shapes.symbols import Symbols
from recipes.shapes.task import Headline, Part, ShapeRunConfig, Task
from recipes.translation.corpora import ui_strings
from s2s.config import Count, Section, TaggerConfig
from s2s.data.labelled import Examples
from s2s.shapes import build_tagger
from s2s.training.shapes import LabelObjective

MARKS = ".,:;!?"

_WORD = re.compile(rf"(.*?)([{MARKS}]*)")

Tagged = list[tuple[str, str]]
"""The words of a string, without capitals and marks, each with its tag."""


class Data(Section):
    """Strings of at least `shortest` words; a word must come `least` times in training to be known."""

    kind: Literal["capitals"]
    shortest: Count = 3
    least: Count = 2


class Config(ShapeRunConfig):
    """A run of this recipe."""

    data: Data
    model: TaggerConfig


def build(config: Config, from_dir: Path | None) -> Task:
    """The task; `from_dir` holds the wheel, which is fetched without it."""
    corpus = ui_strings.read(("en", "de"), from_dir)
    parts = {name: read((source for source, _ in pairs), config.data) for name, pairs in corpus.parts.items()}
    words = Symbols.of(([word for word, _ in tagged] for tagged in parts["train"]), config.data.least)
    tags = sorted({tag for tagged in parts["train"] for _, tag in tagged})
    sets = {name: Examples([_encoded(tagged, words, tags) for tagged in part]) for name, part in parts.items()}

    def scored(found: Sequence[Sequence[int]]) -> Part:
        return score([[tags[number] for number in row] for row in found], parts)

    return Task(
        "ui_strings",
        "en",
        sets["train"],
        sets["dev"],
        sets["test"],
        model=lambda: build_tagger(config.model, len(words), len(tags), config.regularisation),
        objective=lambda model: LabelObjective(model, config.regularisation.label_smoothing),
        score=lambda model: {"test": scored(labels_of(model, sets["test"]))},
        headline=Headline(
            "tags",
            "words whose capitals and mark are both right, in percent",
            "higher",
            ("most frequent tag of the word", "the same, by first, inner and last word"),
        ),
    )


def read(texts: Iterable[str], data: Data) -> list[Tagged]:
    """Distinct strings as tagged words, in their order."""
    distinct = dict.fromkeys(texts)
    split = ([tagged(word) for word in text.split()] for text in distinct)
    return [words for words in split if len(words) >= data.shortest]


def tagged(word: str) -> tuple[str, str]:
    """A word without capitals and without the marks at its end, and the tag that tells them."""
    match = _WORD.fullmatch(word)
    assert match is not None, "every word is something and marks"
    core, marks = match.groups()
    return core.lower(), _case(core) + marks


def restored(word: str, tag: str) -> str:
    """The word as its tag tells it; one of mixed capitals keeps none."""
    case = tag.rstrip(MARKS)
    form = {"Title": word[:1].upper() + word[1:], "UPPER": word.upper()}.get(case, word)
    return form + tag[len(case) :]


def _case(core: str) -> str:
    if core == core.lower():
        return "lower"
    if core[1:] == core[1:].lower():
        return "Title"
    return "UPPER" if core == core.upper() else "miXed"


def _encoded(words: Tagged, symbols: Symbols, tags: Sequence[str]) -> tuple[list[int], list[int]]:
    """Ids of words and numbers of tags; a tag that training has not cannot be right, and counts as the first."""
    known = {tag: number for number, tag in enumerate(tags)}
    return symbols.encode([word for word, _ in words]), [known.get(tag, 0) for _, tag in words]


def score(found: Sequence[Sequence[str]], parts: Mapping[str, list[Tagged]]) -> Part:
    """Shares of words, and of whole strings, whose tags are right, in percent."""
    train, test = parts["train"], parts["test"]
    answers: dict[str, Sequence[Sequence[str]]] = {
        "model": found,
        "most frequent tag of the word": most_frequent(train, test, by_place=False),
        "the same, by first, inner and last word": most_frequent(train, test, by_place=True),
    }
    expected = [[tag for _, tag in words] for words in test]
    every = list(chain.from_iterable(expected))
    return Part(
        len(test),
        {
            name: {
                "tags": percent_equal(list(chain.from_iterable(rows)), every),
                "whole strings": percent_equal([list(row) for row in rows], expected),
            }
            for name, rows in answers.items()
        },
    )


def most_frequent(train: list[Tagged], test: list[Tagged], by_place: bool) -> list[list[str]]:
    """The tag that each word has most often in training, there if wanted; unknown words get the tag of their place."""
    counts: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for words in train:
        for place, (word, tag) in zip(_places(words, by_place), words, strict=True):
            counts[word, place][tag] += 1
            counts[place][tag] += 1
    best = {key: counter.most_common(1)[0][0] for key, counter in counts.items()}
    return [
        [best.get((word, place), best[place]) for place, (word, _) in zip(_places(words, by_place), words, strict=True)]
        for words in test
    ]


def _places(words: Tagged, by_place: bool) -> list[str]:
    """Whether each word is the first, the last or another, where that is wanted; strings have two words or more."""
    if not by_place or len(words) < 2:
        return ["inner"] * len(words)
    return ["first", *["inner"] * (len(words) - 2), "last"]
