"""A corpus of audio that is made in a moment and can be learnt: each word is a tone of its own."""

import json
import math
import random
from pathlib import Path
from typing import Literal

import soundfile
import torch

from s2s.data.prepare_audio import PrepareAudioOptions, prepare_audio

TONES = {"low": 300.0, "mid": 700.0, "high": 1300.0, "top": 2600.0}
RATE = 8000
SIZES = {"train": 60, "dev": 8, "test": 8}


def sing(words: list[str], draw: random.Random, rate: int = RATE) -> torch.Tensor:
    """Samples (N,): a tone of 0.15 s for each word, with pauses and a little noise."""
    pieces = []
    for word in words:
        time = torch.arange(round(0.15 * rate)) / rate
        pieces += [
            0.4 * torch.sin(2 * math.pi * TONES[word] * time),
            torch.zeros(round(draw.uniform(0.03, 0.06) * rate)),
        ]
    samples = torch.cat(pieces)
    noise = torch.randn(len(samples), generator=torch.Generator().manual_seed(draw.randrange(2**31)))
    return samples + 0.005 * noise


def write_tones(folder: Path, sizes: dict[str, int] | None = None, longest: int = 4) -> dict[str, Path]:
    """WAV files and a manifest (JSON lines) for each part; two speakers."""
    draw = random.Random(1)
    folder.mkdir(parents=True, exist_ok=True)
    manifests = {}
    for part, count in (sizes or SIZES).items():
        lines = []
        for number in range(count):
            words = [draw.choice(list(TONES)) for _ in range(draw.randint(1, longest))]
            name = f"{part}-{number}.wav"
            soundfile.write(folder / name, sing(words, draw).numpy(), RATE)
            lines.append({"id": name, "audio": name, "text": " ".join(words), "speaker": f"s{number % 2}"})
        manifests[part] = folder / f"{part}.jsonl"
        manifests[part].write_text("".join(json.dumps(line) + "\n" for line in lines))
    return manifests


def prepare_tones(
    folder: Path, sizes: dict[str, int] | None = None, normalisation: Literal["utterance", "speaker"] = "utterance"
) -> Path:
    """The prepared data set below `folder`."""
    manifests = {part: str(path) for part, path in write_tones(folder / "audio", sizes).items()}
    prepare_audio(PrepareAudioOptions(manifests, "en", folder / "data", normalisation=normalisation))
    return folder / "data"
