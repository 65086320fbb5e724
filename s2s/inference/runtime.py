"""Where and how a model computes: device, precision, threads."""

from pathlib import Path

import torch

from s2s.checkpoint import LoadedModel, load_model
from s2s.errors import UsageError
from s2s.hardware import open_device
from s2s.text.tokenizers import Tokenizers

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def load_for_inference(path: Path | str, device: str, precision: str, threads: int | None) -> LoadedModel:
    """A model ready to compute; `threads` holds for the whole process.

    UsageError: an unknown or absent device, an unknown precision, or threads with a device that has no use for them.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"There is no precision {precision!r}: it is one of {', '.join(PRECISIONS)}.")
    loaded = load_model(Path(path), open_device(device, threads))
    loaded.model.to(PRECISIONS[precision])
    return loaded


def tokenizers_of(loaded: LoadedModel) -> Tokenizers:
    """The tokenizers of a model that reads text; UsageError when it reads something else."""
    if not isinstance(loaded.codec, Tokenizers):
        raise UsageError(f"{loaded.folder} reads audio: use `s2s transcribe`.")
    return loaded.codec
