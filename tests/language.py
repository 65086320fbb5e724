"""Prepared text of one language, a small language model, and the config of a small run."""

from functools import cache
from pathlib import Path
from typing import Any

import torch

from s2s.checkpoint import TrainingSummary, save_model
from s2s.config import LanguageModelConfig, LanguageRunConfig, parse
from s2s.data.prepare_monolingual import PrepareMonolingualOptions, prepare_monolingual
from s2s.files import committed_folder
from s2s.language_model import LanguageModel, build_language_model
from s2s.text.monolingual import MonolingualCodec
from s2s.text.readers import Side
from s2s.text.vocabulary import BOS, EOS, PAD
from tests.tiny import TEXTS, tokenizers

SHAPE: dict[str, Any] = {"kind": "language-model", "embedding_width": 16, "width": 16}
TRAINING = {"max_updates": 12, "batch_tokens": 200, "validation_interval": 5, "warmup_updates": 3}


def language_config(context: str, cell: str = "lstm", **training: object) -> LanguageRunConfig:
    """The config of a run of a few updates."""
    document = {"model": {**SHAPE, "context": context, "cell": cell}, "training": {**TRAINING, **training}}
    return parse(LanguageRunConfig, document, "test")


def prepare_lines(folder: Path) -> Path:
    """Prepared data of English words, with the tokenizer of the tiny translator."""
    parts = {}
    for name, texts in {"train": TEXTS[:150], "dev": TEXTS[150:170], "test": TEXTS[170:]}.items():
        (folder / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
        parts[name] = Side(str(folder / name))
    options = PrepareMonolingualOptions(parts, "en", folder / "data", tokenizers().target)
    prepare_monolingual(options)
    return options.output


def small_language_model(cell: str = "lstm", context: str = "line", size: int | None = None) -> LanguageModel:
    """A model with random weights that is used and not trained."""
    torch.manual_seed(2)
    config = parse(LanguageModelConfig, {**SHAPE, "cell": cell, "context": context}, "test")
    model = build_language_model(config, size or tokenizers().target.size)
    with torch.no_grad():
        model.output.bottleneck.weight.mul_(3)
        model.output.bias[[PAD, BOS]] = -30.0
        model.output.bias[EOS] = 1.0
    return model.eval()


@cache
def save_language_model(folder: Path, context: str = "line", language: str = "de") -> Path:
    """A model directory of the small model in a new folder."""
    config = parse(LanguageModelConfig, {**SHAPE, "context": context}, "test")
    codec = MonolingualCodec(tokenizers().target, language)
    with committed_folder(folder) as made:
        summary = TrainingSummary(updates=1, seed=1, data="0")
        save_model(made, small_language_model(context=context), codec, config, None, summary)
    return folder
