"""A model directory that is written in a moment: real files and tokenizers, random weights."""

from functools import cache
from pathlib import Path

import torch

from s2s.checkpoint import DevScore, TrainingSummary, save_model
from s2s.config import DecoderConfig, DecodingConfig, EncoderConfig, ModelConfig
from s2s.files import committed_folder
from s2s.model import Seq2Seq, build_model
from s2s.text.tokenizer import train_tokenizer
from s2s.text.tokenizers import Tokenizers
from s2s.text.vocabulary import EOS

WORDS = [
    *("the", "a", "red", "green", "small", "old", "house", "tree", "dog", "cat"),
    *("sees", "finds", "likes", "and", "or", "under", "near", "with", "one", "two", "three"),
]
TEXTS = [" ".join(WORDS[(start * step) % len(WORDS)] for start in range(1, 9)) for step in range(1, 200)]
CONFIG = ModelConfig(embedding_width=16, encoder=EncoderConfig(width=16), decoder=DecoderConfig(width=16))
DECODING = DecodingConfig(beam_size=3, length_penalty=1.0, max_length=24)


@cache
def tokenizers() -> Tokenizers:
    """Joint unigram subwords of a few English words; all other characters are spelt in bytes."""
    joint = train_tokenizer(lambda: TEXTS, "unigram", None, 400)
    return Tokenizers(joint, joint, ("en", "de"))


@torch.no_grad()
def _liven(model: Seq2Seq) -> None:
    """Make outputs depend on sources, write whole words only, and let hypotheses end."""
    for weight in (model.output.bottleneck.weight, model.output.embedding.weight):
        weight.mul_(3)
    pieces = tokenizers().target.pieces(range(tokenizers().target.size))
    model.output.bias[[n for n, piece in enumerate(pieces) if not (piece[0] == "▁" and piece[1:].isalpha())]] = -30.0
    model.output.bias[EOS] = 1.0


def write_model(folder: Path, seed: int = 1, config: ModelConfig = CONFIG, updates: int = 7) -> Path:
    """A model directory with weights that are a function of the seed."""
    torch.manual_seed(seed)
    size = tokenizers().source.size
    summary = TrainingSummary(
        updates=updates, seed=seed, data="0" * 64, dev=(DevScore(metric="BLEU", value=12.5, signature="nrefs:1"),)
    )
    with committed_folder(folder) as temporary:
        model = build_model(config, size, size)
        _liven(model)
        save_model(temporary, model, tokenizers(), config, DECODING, summary)
    return folder
