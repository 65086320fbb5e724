"""A model directory of speech that is written in a moment: real files and tokenizers, random weights."""

from functools import cache
from pathlib import Path

import torch

from s2s.audio.features import FeatureSettings
from s2s.checkpoint import TrainingSummary, save_model
from s2s.config import DecodingConfig, ModelConfig
from s2s.data.speech_codec import SpeechCodec
from s2s.files import committed_folder
from s2s.model import build_model
from s2s.text.tokenizer import train_tokenizer
from tests.small_models import decided
from tests.tones import RATE, TONES

BANDS = 8


@cache
def speech_codec() -> SpeechCodec:
    """Characters of the names of tones, and features of few bands."""
    target = train_tokenizer(lambda: [" ".join(TONES)] * 20, "characters", None, 100, spoken=True)
    return SpeechCodec(FeatureSettings(rate=RATE, bands=BANDS), target, "en", 10.0)


def write_speech_model(
    folder: Path, ctc: bool, seed: int = 3, frontend: str = "convolution", codec: SpeechCodec | None = None
) -> Path:
    """A model directory with weights that are a function of the seed."""
    codec = codec or speech_codec()
    config = ModelConfig.model_validate(
        {
            "frontend": {"kind": frontend} | ({"channels": 4} if frontend == "convolution" else {}),
            "tied_embeddings": "output",
            "embedding_width": 16,
            "encoder": {"width": 8, "layers": 1},
            "decoder": {"width": 16},
            "ctc": ctc,
        }
    )
    torch.manual_seed(seed)
    model = decided(build_model(config, BANDS, codec.target.size), sharpness=2.0, end=1.0)
    decoding = DecodingConfig(beam_size=2, ctc_weight=0.4 if ctc else None)
    with committed_folder(folder) as temporary:
        summary = TrainingSummary(updates=1, seed=1, data="0" * 64)
        save_model(temporary, model, codec, config, decoding, summary)
    return folder
