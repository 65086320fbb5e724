"""A model directory: weights, `model.json`, tokenizer files and a model card; all that is needed to use the model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

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
from s2s.checkpoint.tuned import Tuned, tuned_for
from s2s.config import (
    AnyModelConfig,
    DecodingConfig,
    LanguageModelConfig,
    ModelConfig,
    RegularisationConfig,
    to_document,
)
from s2s.data.codec import Codec, load_codec
from s2s.errors import ConfigError, ModelError, UsageError
from s2s.files import write_bytes, write_json, write_text
from s2s.language_model import LanguageModel, build_language_model
from s2s.model import NO_REGULARISATION, Seq2Seq, build_model
from s2s.text.monolingual import MonolingualCodec

AnyModel = TypeVar("AnyModel", bound=nn.Module)

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
        """The shape of an encoder-decoder."""
        assert isinstance(self.info.model, ModelConfig)
        return self.info.model

    @property
    def decoding(self) -> DecodingConfig:
        """How the hypotheses of an encoder-decoder are searched unless told otherwise: as was tuned, if it was."""
        assert self.info.decoding is not None
        return self.info.decoding if self.tuned.alone is None else self.tuned.alone.decoding

    @cached_property
    def tuned(self) -> Tuned:
        """What `s2s tune` found for this very model, see `tuned_for`; ModelError: the file that tells it is damaged."""
        return tuned_for(self.folder)


@dataclass(frozen=True)
class LoadedModel(Loaded):
    """A model in evaluation mode with all that belongs to it."""

    model: Seq2Seq


@dataclass(frozen=True)
class LoadedLanguageModel(Loaded):
    """A language model in evaluation mode with all that belongs to it."""

    codec: MonolingualCodec
    model: LanguageModel

    @property
    def shape(self) -> LanguageModelConfig:
        """The model's shape."""
        assert isinstance(self.info.model, LanguageModelConfig)
        return self.info.model


def save_model(
    folder: Path,
    model: nn.Module,
    codec: Codec,
    config: AnyModelConfig,
    decoding: DecodingConfig | None,
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
    """The encoder-decoder of a model directory or of a run (its best checkpoint), checked and on its device.

    ModelError: no model directory, a file missing, changed or of the wrong size, an unknown format version, weights
    that do not fit the config, or graphs in place of weights. UsageError: it is a language model.
    """
    folder, info = _read_info(path)
    if isinstance(info.model, LanguageModelConfig):
        raise UsageError(
            f"{folder} is a language model, which has no sources to read: use `s2s generate` or `s2s score`, or give "
            "it to `s2s translate` or `s2s transcribe` with --lm."
        )
    shape, sizes = info.model, (info.source_size, info.target_size)
    model = _fill(folder, info, lambda: build_model(shape, *sizes, regularisation))
    return LoadedModel(folder, codec_of(folder, info), info, model.to(device).eval())


def load_language_model(
    path: Path, device: str | torch.device = "cpu", regularisation: RegularisationConfig = NO_REGULARISATION
) -> LoadedLanguageModel:
    """The language model of a model directory or of a run, checked and on its device.

    ModelError: as for `load_model`. UsageError: it is another model.
    """
    folder, info = _read_info(path)
    if not isinstance(info.model, LanguageModelConfig):
        use = "transcribes" if info.kind == "audio" else "translates"
        raise UsageError(
            f'{folder} {use} and is no language model: name one that was trained with model.kind = "language-model".'
        )
    shape, size = info.model, info.target_size
    model = _fill(folder, info, lambda: build_language_model(shape, size, regularisation))
    codec = codec_of(folder, info)
    assert isinstance(codec, MonolingualCodec)
    return LoadedLanguageModel(folder, codec, info, model.to(device).eval())


def load_any(path: Path) -> LoadedModel | LoadedLanguageModel:
    """The model of any kind in a model directory or of a run; ModelError: see `load_model`."""
    folder, info = _read_info(path)
    return load_language_model(folder) if isinstance(info.model, LanguageModelConfig) else load_model(folder)


def load_weights(folder: Path) -> dict[str, Tensor]:
    """The weights in a model directory of any kind, named as by `unique`; ModelError: see `load_model`."""
    folder, info = _read_info(folder)
    return from_bytes(read_verified(folder, WEIGHTS, info.files[WEIGHTS]), folder / WEIGHTS)


def _read_info(path: Path) -> tuple[Path, ModelInfo]:
    """The folder that is meant, and its record, which is that of a model with weights."""
    folder = resolve(path)
    info = read_info(folder)
    if info.format != "s2s model":
        raise ModelError(
            f"{folder} holds graphs without weights, which only `s2s translate`, `s2s transcribe` and `s2s info` read. "
            "Name the model that it was exported from."
        )
    return folder, info


def _fill(folder: Path, info: ModelInfo, build: Callable[[], AnyModel]) -> AnyModel:
    """A model with the weights of a folder, of which all files are checked."""
    tensors_size = info.files[WEIGHTS].size
    model = _empty_model(folder, info, build)
    expected = sum(tensor.numel() * tensor.element_size() for tensor in unique(model).values())
    if not expected <= tensors_size <= expected + 2**20:
        raise ModelError(
            f"{folder / WEIGHTS} has {tensors_size:,} bytes, but the config in {RECORD} makes a model of {expected:,}."
        )
    restore(model, from_bytes(read_verified(folder, WEIGHTS, info.files[WEIGHTS]), folder / WEIGHTS), assign=True)
    verify(folder, info, skip=WEIGHTS)
    return model


def codec_of(folder: Path, info: ModelInfo) -> Codec:
    """The codec in a folder whose files were verified; ModelError unless it is the one that the record describes."""
    codec = load_codec(folder, info.kind)
    if unnamed := codec.files - info.files.keys():
        raise ModelError(f"{folder / RECORD} does not name {', '.join(sorted(unnamed))}. Do not use this model.")
    if (codec.source_size, codec.target.size) != (info.source_size, info.target_size):
        raise ModelError(f"The tokenizers in {folder} are not those of the model: the vocabulary sizes differ.")
    return codec


def _empty_model(folder: Path, info: ModelInfo, build: Callable[[], AnyModel]) -> AnyModel:
    """A model that has shapes but no memory yet, so that a damaged config cannot claim any."""
    check_size(folder / WEIGHTS, info.files[WEIGHTS])
    shape = info.model
    layers = shape.layers if isinstance(shape, LanguageModelConfig) else shape.encoder.layers + shape.decoder.layers
    if layers * MIN_LAYER_BYTES > info.files[WEIGHTS].size:
        raise ModelError(f"{folder / RECORD} describes a model of {layers:,} layers, more than {WEIGHTS} can hold.")
    try:
        with torch.device("meta"), NoInitialisation():
            return build()
    except (RuntimeError, OverflowError, ConfigError) as error:
        raise ModelError(
            f"{folder / RECORD} describes a model that cannot be built: {str(error).splitlines()[0]}"
        ) from error
