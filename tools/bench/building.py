"""Trainings of a config for s2s and for peers, with as many real target tokens an update."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import joeynmt
import marian
import ours
import peers
from boundary import BenchError
from watching import Training

from s2s.config import RunConfig
from s2s.data.batches import TrainingBatches
from s2s.data.parallel_text import TextData
from s2s.data.prepared import open_data

SAMPLED = 30_000
"""Segments, at most, by whose lengths the budgets of peers are chosen."""

Build = Callable[[Path], Training]
"""Describes a training that writes into an empty folder."""


@dataclass(frozen=True)
class Lengths:
    """Segments in tokens, sources with EOS and targets without, and what an update of s2s holds on average."""

    pairs: Sequence[tuple[int, int]]
    source_tokens: float
    target_tokens: float


@dataclass(frozen=True)
class PeerPlan:
    """All that the training of a peer needs: its name and Python, the config, the data, the threads."""

    name: str
    python: str
    config: RunConfig
    data: TextData
    kept: Path
    threads: int
    updates: int | None = None

    def build(self, folder: Path) -> Training:
        """The training, in an empty folder; without a limit unless `updates` is given."""
        lengths = measured(self.data.path, self.config)
        place = (self.python, self.config, self.data.codec.joint, peers.export(self.data, self.kept), folder)
        if self.name == "joeynmt":
            budget = joeynmt.budget_for(lengths.pairs, lengths.target_tokens)
            return joeynmt.training(*place, budget, self.threads, self.updates or ours.NEVER)
        return marian.training(*place, round(lengths.source_tokens), self.threads, self.updates or 0)


def text_data(path: Path) -> TextData:
    """Prepared text; BenchError when it is audio."""
    data = open_data(path)
    if not isinstance(data, TextData):
        raise BenchError(f"{path} holds audio, which these peers cannot read. Leave --peer out.")
    return data


@cache
def measured(path: Path, config: RunConfig) -> Lengths:
    """The lengths of the training part, and the mean over the first epoch's batches."""
    segments = text_data(path).segments("train")
    pairs = segments.draw(range(min(SAMPLED, len(segments))), None).lengths
    batches = TrainingBatches(segments, config.training.budget, config.seed)
    updates = batches.count()
    share = len(segments) / len(pairs)
    source, target = (share * sum(side) / updates for side in zip(*((s, t + 1) for s, t in pairs), strict=True))
    return Lengths(pairs, source, target)


def shape_for(peer: str | None, config: RunConfig) -> RunConfig:
    """The config with which s2s is compared with a peer: for Marian the encoder is as wide as the decoder."""
    if peer != "marian":
        return config
    encoder = config.model.encoder.model_copy(update={"width": config.model.decoder.width})
    return config.model_copy(update={"model": config.model.model_copy(update={"encoder": encoder})})


def in_new_folder(kept: Path) -> "tempfile.TemporaryDirectory[str]":
    """A folder for one measurement, on the disk of what is kept."""
    kept.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="run-", dir=kept)
