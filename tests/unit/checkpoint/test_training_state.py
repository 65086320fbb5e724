"""Training states come back bit for bit, or are refused."""

import json
from pathlib import Path

import pytest
import torch

from s2s.checkpoint import load_training_state, save_training_state
from s2s.errors import ModelError

RECORD = {"update": 12, "loss": 0.1 + 0.2, "tiny": 5e-324, "names": ["a", "ü"], "none": None, "nested": {"deep": [1]}}


def _tensors() -> dict[str, torch.Tensor]:
    shared = torch.randn(3, 4)
    return {
        "weights": shared,
        "view": shared.t(),
        "step": torch.tensor(7.0),
        "half": torch.randn(5).bfloat16(),
        "random": torch.get_rng_state(),
        "count": torch.tensor([2**62]),
        "empty": torch.zeros(0, 3),
        "odd": torch.tensor([float("nan"), float("-inf"), -0.0]),
    }


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()


def test_everything_comes_back_bit_for_bit(tmp_path: Path) -> None:
    tensors = _tensors()
    save_training_state(tmp_path, tensors, RECORD)
    loaded, record = load_training_state(tmp_path)
    assert record == RECORD
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert loaded[name].shape == tensor.shape
        assert _bytes(loaded[name]) == _bytes(tensor)


def test_what_was_loaded_can_be_changed(tmp_path: Path) -> None:
    save_training_state(tmp_path, {"a": torch.zeros(2)}, {})
    tensors, _ = load_training_state(tmp_path)
    tensors["a"] += 1
    assert load_training_state(tmp_path)[0]["a"].tolist() == [0, 0]


@pytest.mark.parametrize("name", ["training.safetensors", "training.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    save_training_state(tmp_path, _tensors(), RECORD)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=name):
        load_training_state(tmp_path)


def test_a_flipped_byte_of_a_tensor_is_refused(tmp_path: Path) -> None:
    save_training_state(tmp_path, _tensors(), RECORD)
    path = tmp_path / "training.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"training\.safetensors was changed or damaged"):
        load_training_state(tmp_path)


def test_a_changed_record_is_refused(tmp_path: Path) -> None:
    save_training_state(tmp_path, _tensors(), RECORD)
    path = tmp_path / "training.json"
    document = json.loads(path.read_text())
    document["record"]["update"] = 13
    path.write_text(json.dumps(document))
    with pytest.raises(ModelError, match=r"training\.json was changed or damaged"):
        load_training_state(tmp_path)


def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_training_state(tmp_path, {}, {"loss": float("nan")})
