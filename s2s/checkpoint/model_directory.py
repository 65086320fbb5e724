"""A model directory: weights, `model.json`, tokenizer files and a model card; all that is needed to use the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import s2s
from s2s.checkpoint.card import model_card
from s2s.checkpoint.record import (
    RECORD,
    WEIGHTS,
    ModelInfo,
    TrainingSummary,
    check_size,
    describe,
    read_info,
    read_verified,
    verify,
)
from s2s.checkpoint.run_directory import resolve
from s2s.checkpoint.tensors import NoInitialisation, from_bytes, restore, to_bytes, unique
from s2s.config import DecodingConfig, ModelConfig, RegularisationConfig, to_document
from s2s.data.codec import Codec, load_codec
from s2s.errors import ConfigError, ModelError
from s2s.files import write_bytes, write_json, write_text
from s2s.model import NO_REGULARISATION, Seq2Seq, build_model

CARD = "README.md"
MIN_LAYER_BYTES = 256  # the names, shapes and offsets of the four tensors of a recurrent layer alone take more


@dataclass(frozen=True)
class Loaded:
    """All that belongs to a model, whatever computes it."""

    folder: Path
    codec: Codec
    info: ModelInfo

    @property
    def config(self) -> ModelConfig:
        """The model's shape."""
        return self.info.model

    @property
    def decoding(self) -> DecodingConfig:
        """How its hypotheses are searched unless told otherwise."""
        return self.info.decoding


@dataclass(frozen=True)
class LoadedModel(Loaded):
    """A model in evaluation mode with all that belongs to it."""

    model: Seq2Seq


def save_model(
    folder: Path,
    model: Seq2Seq,
    codec: Codec,
    config: ModelConfig,
    decoding: DecodingConfig,
    training: TrainingSummary,
    tensors: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a model directory into an existing folder without one, best that of `committed_folder`.

    `tensors`, named as by `unique`, are written in place of the model's own (averaged weights, for example).
    """
    before = {path.name for path in folder.iterdir()}
    codec.save(folder)
    names = sorted(path.name for path in folder.iterdir() if path.name not in before)
    write_bytes(folder / WEIGHTS, to_bytes(unique(model) if tensors is None else tensors))
    info = ModelInfo(
        written_by=f"s2s {s2s.__version__}",
        kind=codec.kind,
        languages=codec.languages,
        source_size=codec.source_size,
        target_size=codec.target.size,
        parameters=sum(tensor.numel() for tensor in unique(model).values()),
        model=config,
        decoding=decoding,
        training=training,
        files=describe(folder, [WEIGHTS, *names]),
    )
    write_json(folder / RECORD, to_document(info))
    write_text(folder / CARD, model_card(info))


def load_model(
    path: Path, device: str | torch.device = "cpu", regularisation: RegularisationConfig = NO_REGULARISATION
) -> LoadedModel:
    """The model of a model directory or of a run (its best checkpoint), checked and on its device.

    ModelError: no model directory, a file missing, changed or of the wrong size, an unknown format version, weights
    that do not fit the config, or graphs in place of weights.
    """
    folder = resolve(path)
    info = read_info(folder)
    if info.format != "s2s model":
        raise ModelError(
            f"{folder} holds graphs without weights, which only `s2s translate`, `s2s transcribe` and `s2s info` read. "
            "Name the model that it was exported from."
        )
    tensors_size = info.files[WEIGHTS].size
    model = _empty_model(folder, info, regularisation)
    expected = sum(tensor.numel() * tensor.element_size() for tensor in unique(model).values())
    if not expected <= tensors_size <= expected + 2**20:
        raise ModelError(
            f"{folder / WEIGHTS} has {tensors_size:,} bytes, but the config in {RECORD} makes a model of {expected:,}."
        )
    restore(model, from_bytes(read_verified(folder, WEIGHTS, info.files[WEIGHTS]), folder / WEIGHTS), assign=True)
    verify(folder, info, skip=WEIGHTS)
    return LoadedModel(folder, codec_of(folder, info), info, model.to(device).eval())


def codec_of(folder: Path, info: ModelInfo) -> Codec:
    """The codec in a folder whose files were verified; ModelError unless it is the one that the record describes."""
    codec = load_codec(folder, info.kind)
    if unnamed := codec.files - info.files.keys():
        raise ModelError(f"{folder / RECORD} does not name {', '.join(sorted(unnamed))}. Do not use this model.")
    if (codec.source_size, codec.target.size) != (info.source_size, info.target_size):
        raise ModelError(f"The tokenizers in {folder} are not those of the model: the vocabulary sizes differ.")
    return codec


def _empty_model(folder: Path, info: ModelInfo, regularisation: RegularisationConfig) -> Seq2Seq:
    """A model that has shapes but no memory yet, so that a damaged config cannot claim any."""
    check_size(folder / WEIGHTS, info.files[WEIGHTS])
    layers = info.model.encoder.layers + info.model.decoder.layers
    if layers * MIN_LAYER_BYTES > info.files[WEIGHTS].size:
        raise ModelError(f"{folder / RECORD} describes a model of {layers:,} layers, more than {WEIGHTS} can hold.")
    try:
        with torch.device("meta"), NoInitialisation():
            return build_model(info.model, info.source_size, info.target_size, regularisation)
    except (RuntimeError, OverflowError, ConfigError) as error:
        raise ModelError(
            f"{folder / RECORD} describes a model that cannot be built: {str(error).splitlines()[0]}"
        ) from error
