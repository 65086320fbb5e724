"""Which of ten digits is spoken: single recordings of the Free Spoken Digit Dataset, its official test.

Training, dev and test are those of `recipes.transcription.corpora.digits`: all six speakers are in every part.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from recipes.shapes.scoring import labels_of, percent_equal
from recipes.shapes.task import Headline, Part, ShapeRunConfig, Task
from recipes.transcription.corpora.corpus import Utterance, check_folder
from recipes.transcription.corpora.digits import RATE, SOURCE, WORDS, read_recordings, samples_of
from s2s.audio.features import FeatureSettings, FilterBank, Statistics, StatisticsSum, default_bands, normalise
from s2s.config import ReaderConfig, Section
from s2s.data.labelled import Examples
from s2s.errors import DataError
from s2s.shapes import build_reader
from s2s.training.shapes import LabelObjective

BANDS = default_bands(RATE)
MULTIPLE = 8
"""Frames to which sources are padded."""


class Data(Section):
    """The recordings; there is nothing to choose."""

    kind: Literal["digits"]


class Config(ShapeRunConfig):
    """A run of this recipe."""

    data: Data
    model: ReaderConfig


def build(config: Config, from_dir: Path | None) -> Task:
    """The task; UsageError unless `from_dir` holds the corpus."""
    folder = check_folder(from_dir, "digits", SOURCE)
    parts = read_recordings(folder / "recordings" if (folder / "recordings").is_dir() else folder)
    features = {name: [features_of(utterance) for utterance in part] for name, part in parts.items()}
    labels = {name: [WORDS.index(utterance.text) for utterance in part] for name, part in parts.items()}
    if missing := [word for digit, word in enumerate(WORDS) if digit not in labels["train"]]:
        raise DataError(f"{folder} has no recordings to train {', '.join(missing)} with: get the whole data set.")
    statistics = _statistics(features["train"])
    sets = {
        name: Examples(
            [(normalise(one, statistics), [label]) for one, label in zip(part, labels[name], strict=True)], MULTIPLE
        )
        for name, part in features.items()
    }
    return Task(
        "digits",
        "en",
        sets["train"],
        sets["dev"],
        sets["test"],
        model=lambda: build_reader(config.model, BANDS, len(WORDS), config.regularisation),
        objective=lambda model: LabelObjective(model, config.regularisation.label_smoothing),
        score=lambda model: {"test": score([row[0] for row in labels_of(model, sets["test"])], features, labels)},
        headline=Headline(
            "accuracy",
            "recordings whose digit is right, in percent",
            "higher",
            ("most frequent digit", "nearest mean spectrum"),
        ),
    )


def features_of(utterance: Utterance) -> Tensor:
    """The logarithmic mel features (S, F) of a recording; DataError unless it is mono, of this corpus's rate."""
    samples = torch.from_numpy(samples_of(utterance.audio)).float() / 2**15
    return FilterBank(FeatureSettings(RATE, BANDS))(samples)


def score(found: list[int], features: Mapping[str, list[Tensor]], labels: Mapping[str, list[int]]) -> Part:
    """The accuracies, in percent, of the digits found in the test part, and of the baselines."""
    expected = labels["test"]
    frequent = max(range(len(WORDS)), key=labels["train"].count)
    answers = {
        "model": found,
        "most frequent digit": [frequent] * len(expected),
        "nearest mean spectrum": nearest_means(features, labels["train"]),
    }
    return Part(len(expected), {name: {"accuracy": percent_equal(one, expected)} for name, one in answers.items()})


def nearest_means(features: Mapping[str, list[Tensor]], labels: list[int]) -> list[int]:
    """The digit of each test recording whose mean spectrum in training is nearest to the recording's own."""
    train, test = (torch.stack([one.mean(0) for one in features[part]]) for part in ("train", "test"))
    digits = torch.tensor(labels)
    means = torch.stack([train[digits == digit].mean(0) for digit in range(len(WORDS))])
    found: list[int] = torch.cdist(test, means).argmin(1).tolist()
    return found


def _statistics(features: list[Tensor]) -> Statistics:
    sums = StatisticsSum()
    for one in features:
        sums.add(one)
    return sums.result()
