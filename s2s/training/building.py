"""What training needs, from a config and prepared data: a model, its objective, batches, validation, and its saving."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from s2s.checkpoint import Loaded, load_language_model, load_model, save_model
from s2s.checkpoint.record import TrainingSummary
from s2s.config import BaseRunConfig, DecodingConfig, LanguageRunConfig, RunConfig, to_document
from s2s.data.batches import EpochSource, TrainingBatches
from s2s.data.codec import Codec
from s2s.data.monolingual import MonolingualData
from s2s.data.prepared import PreparedData
from s2s.data.running import RunningBatches
from s2s.errors import ConfigError
from s2s.files import sha256
from s2s.group import Group
from s2s.language_model import LanguageModel, build_language_model
from s2s.model import Seq2Seq, build_model
from s2s.rng import derive
from s2s.training.language_validation import LanguageValidator
from s2s.training.objectives import LanguageObjective, Objective, Seq2SeqObjective
from s2s.training.room import warn_of_crowded_segments
from s2s.training.steps import check_precision
from s2s.training.trainer import Trainer, Validate
from s2s.training.validation import Validator


@dataclass(frozen=True)
class TrainOptions:
    """Where a run reads and writes; `start` is a model to start from (fine-tuning).

    `workers` is the number of processes that load data ahead; None: two for each GPU that trains, none on the CPU.
    """

    data: Path
    output: Path
    start: Path | None = None
    device: str = "cpu"
    threads: int | None = None
    workers: int | None = None


@dataclass(frozen=True)
class _Parts:
    """What a trainer is made of."""

    model: nn.Module
    objective: Objective
    batches: EpochSource
    validator: Validate
    codec: Codec
    decoding: DecodingConfig | None
    segments: int


def build_trainer(
    config: BaseRunConfig, options: TrainOptions, device: torch.device, data: PreparedData, group: Group | None = None
) -> Trainer:
    """Model, batches and trainer of a run, at its start."""
    check_precision(device, config.training.precision)
    torch.manual_seed(derive(config.seed, "model"))
    group = group or Group()
    if isinstance(config, LanguageRunConfig):
        parts = _language_parts(config, options.start, device, data, group)
    else:
        assert isinstance(config, RunConfig)
        parts = _seq2seq_parts(config, options.start, device, data, group)

    def save(folder: Path, summary: TrainingSummary, weights: Mapping[str, Tensor]) -> None:
        save_model(folder, parts.model, parts.codec, config.model, parts.decoding, summary, weights)

    summary = TrainingSummary(updates=0, seed=config.seed, data=data_hash(options.data), segments=parts.segments)
    made = (parts.model, parts.objective, parts.batches, parts.validator, save)
    return Trainer(config, *made, summary, options.output, device, group)


def _seq2seq_parts(
    config: RunConfig, start: Path | None, device: torch.device, data: PreparedData, group: Group
) -> _Parts:
    model, data = _model(config, data, start)
    segments = data.segments("train", config)
    warn_of_crowded_segments(model, segments)
    settings = config.training
    batches = TrainingBatches(segments, settings.budget, config.seed, settings.shortest_first, group.rank, group.size)
    objective = Seq2SeqObjective(model, config.regularisation.label_smoothing, settings.ctc)
    validator = Validator(data, config, device, group)
    return _Parts(model, objective, batches, validator, data.codec, config.decoding, len(segments))


def _language_parts(
    config: LanguageRunConfig, start: Path | None, device: torch.device, data: PreparedData, group: Group
) -> _Parts:
    model, data = _language_model(config, data, start)
    settings = config.training
    segments = data.segments("train", config)
    batches: EpochSource
    if settings.truncation is not None:
        batches = RunningBatches(segments, settings.budget, settings.truncation, config.seed, group.rank, group.size)
    else:
        short = settings.shortest_first
        batches = TrainingBatches(segments, settings.budget, config.seed, short, group.rank, group.size)
    objective = LanguageObjective(model, config.regularisation.label_smoothing)
    validator = LanguageValidator(data, config, device, group)
    return _Parts(model, objective, batches, validator, data.codec, None, len(segments))


def data_hash(data: Path) -> str:
    """SHA-256 of the manifest of prepared data, which itself holds those of the other files."""
    return sha256(data / "manifest.json")


def _model(config: RunConfig, data: PreparedData, start: Path | None) -> tuple[Seq2Seq, PreparedData]:
    """A fresh model for the data, or the model at `start` with its tokenizer, and the data in its tokens."""
    if start is None:
        data.check(config)
        codec = data.codec
        return build_model(config.model, codec.source_size, codec.target.size, config.regularisation), data
    loaded = load_model(start, regularisation=config.regularisation)
    return loaded.model, _data_for(loaded, config, data)


def _language_model(
    config: LanguageRunConfig, data: PreparedData, start: Path | None
) -> tuple[LanguageModel, MonolingualData]:
    """The same for a language model."""
    if not isinstance(data, MonolingualData):
        data.check(config)
        raise AssertionError("other data refuses a language model")
    if start is None:
        return build_language_model(config.model, data.codec.target.size, config.regularisation), data
    loaded = load_language_model(start, regularisation=config.regularisation)
    _data_for(loaded, config, data)
    return loaded.model, data


def _data_for(loaded: Loaded, config: BaseRunConfig, data: PreparedData) -> PreparedData:
    """The data in the tokens of a model to start from; ConfigError unless config and data are of its shape and kind."""
    if loaded.info.model != config.model:
        changes = ", ".join(differences(to_document(loaded.info.model), to_document(config.model), "model."))
        raise ConfigError(f"The section model of the config is not that of {loaded.folder}: {changes}.")
    if (loaded.codec.kind, loaded.codec.languages) != (data.codec.kind, data.languages):
        model, wanted = (f"{'-'.join(codec.languages)} {codec.kind}" for codec in (loaded.codec, data.codec))
        raise ConfigError(f"{loaded.folder} is a model of {model}, but the data is {wanted}.")
    data = data.with_codec(loaded.codec)
    data.check(config)
    return data


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """The dotted keys in which two configs differ, with both values."""
    changes = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            changes += differences(before, after, f"{prefix}{key}.")
        elif before != after:
            changes.append(f"{prefix}{key} was {before}, is {after}")
    return changes
