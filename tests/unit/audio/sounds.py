"""Small recordings in memory and on disk."""

import io
import math
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "24.wav": ("WAV", "PCM_24"),
    "float.wav": ("WAV", "FLOAT"),
    "gsm.wav": ("WAV", "GSM610"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
"""Names by their end, with format and subtype as libsndfile calls them."""

LOSSLESS = {"wav": 2**-15, "24.wav": 2**-23, "float.wav": 1e-7, "flac": 2**-15}
"""The largest error of a sample."""


def tone(seconds: float = 1.0, rate: int = 16_000, hertz: float = 440.0, size: float = 0.3) -> Tensor:
    """A sine (N,)."""
    return (
        size * torch.sin(2 * math.pi * hertz / rate * torch.arange(round(seconds * rate), dtype=torch.float64))
    ).float()


def noise(seconds: float = 1.0, rate: int = 16_000, size: float = 0.1) -> Tensor:
    """Normal noise (N,), the same each time."""
    return size * torch.randn(round(seconds * rate), generator=torch.Generator().manual_seed(1))


def encoded(samples: Tensor, rate: int = 16_000, kind: str = "wav") -> bytes:
    """Samples (N,) or (N, channels) as a file of a kind."""
    file = io.BytesIO()
    form, subtype = FORMATS[kind]
    soundfile.write(file, np.asarray(samples), rate, format=form, subtype=subtype)
    return file.getvalue()


def write(path: Path, samples: Tensor, rate: int = 16_000) -> Path:
    """Samples as a file, of the kind that its name ends with."""
    kind = max((kind for kind in FORMATS if path.name.endswith(f".{kind}")), key=len)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(samples, rate, kind))
    return path
