"""Small configs of runs, and what runs are compared by."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from s2s.config import RunConfig, parse

SMALL: dict[str, Any] = {
    "model": {"embedding_width": 16, "encoder": {"width": 16}, "decoder": {"width": 16}},
    "regularisation": {"weight_dropout": 0.1},
    "training": {"max_updates": 12, "batch_tokens": 200, "validation_interval": 5, "warmup_updates": 3},
}

AUDIO: dict[str, Any] = {
    "model": {
        "ctc": True,
        "tied_embeddings": "output",
        "frontend": {"kind": "convolution", "channels": 4},
        **SMALL["model"],
    },
    "augmentation": {"joined": 2, "masks_from_epoch": 1},
    "training": {"max_updates": 8, "batch_frames": 1200, "validation_interval": 5, "warmup_updates": 3},
}


def small_config(**training: object) -> RunConfig:
    """The small config for text with other keys of training."""
    return parse(RunConfig, {**SMALL, "training": {**SMALL["training"], **training}}, "test")


def last(run: Path) -> dict[str, torch.Tensor]:
    """All tensors of the last checkpoint: the shipped weights and the training state."""
    folder = run / "checkpoints" / str(json.loads((run / "last.json").read_text())["update"])
    state = load_file(folder / "training.safetensors")
    return {**load_file(folder / "model.safetensors"), **{f"state.{name}": value for name, value in state.items()}}


def assert_same(one: Path, other: Path) -> None:
    first, second = last(one), last(other)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
