"""What runs are compared by."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file


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
