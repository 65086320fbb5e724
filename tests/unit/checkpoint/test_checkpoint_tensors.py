"""Tensors of a model: tied ones once, and back into a model where they are tied again."""

import pytest
import torch

from s2s.checkpoint import restore, unique
from s2s.checkpoint.tensors import NoInitialisation
from s2s.config import DecoderConfig, EncoderConfig, ModelConfig
from s2s.errors import ModelError
from s2s.model import Seq2Seq, build_model


def _model(tied: str = "three-way", seed: int = 1) -> Seq2Seq:
    torch.manual_seed(seed)
    config = ModelConfig(
        embedding_width=8, tied_embeddings=tied, encoder=EncoderConfig(width=8), decoder=DecoderConfig(width=8)
    )
    return build_model(config, 20, 20)


@pytest.mark.parametrize(("tied", "embeddings"), [("none", 3), ("output", 2), ("three-way", 1)])
def test_a_tied_tensor_is_kept_once(tied: str, embeddings: int) -> None:
    tensors = unique(_model(tied))
    assert sum(list(tensor.shape) == [20, 8] for tensor in tensors.values()) == embeddings
    assert sum(tensor.numel() for tensor in tensors.values()) == sum(p.numel() for p in _model(tied).parameters())


@pytest.mark.parametrize("tied", ["none", "output", "three-way"])
@pytest.mark.parametrize("assign", [False, True])
def test_restoring_gives_the_same_numbers_and_the_same_ties(tied: str, assign: bool) -> None:
    original, other = _model(tied, seed=1).eval(), _model(tied, seed=2).eval()
    parameters = list(other.parameters())
    restore(other, unique(original), assign)
    source, lengths, inputs = torch.tensor([[5, 6, 7]]), torch.tensor([3]), torch.tensor([[1, 9]])
    features = [model.decode(model.encode(source, lengths), inputs).features for model in (original, other)]
    assert torch.equal(*features)
    assert [name for name, _ in other.named_parameters()] == [name for name, _ in original.named_parameters()]
    assert all(a is b for a, b in zip(parameters, other.parameters(), strict=True)) is not assign


def test_a_model_built_without_memory_takes_tensors() -> None:
    original = _model()
    with torch.device("meta"), NoInitialisation():
        empty = build_model(
            ModelConfig(embedding_width=8, encoder=EncoderConfig(width=8), decoder=DecoderConfig(width=8)), 20, 20
        )
    assert all(parameter.is_meta for parameter in empty.parameters())
    restore(empty, unique(original), assign=True)
    assert all(torch.equal(a, b) for a, b in zip(empty.parameters(), original.parameters(), strict=True))
    assert empty.output.embedding.weight is empty.frontend.embedding.weight


def test_all_differences_are_told_at_once() -> None:
    model = _model()
    tensors = unique(model)
    del tensors["output.bias"]
    tensors["bridge.project.bias"] = torch.zeros(3)
    tensors["encoder.norms.0.bias"] = tensors["encoder.norms.0.bias"].double()
    tensors["stranger"] = torch.zeros(1)
    with pytest.raises(ModelError) as caught:
        restore(model, tensors)
    message = str(caught.value)
    assert "missing tensors: output.bias;" in message
    assert "does not know: stranger;" in message
    assert "bridge.project.bias is float32 [3] instead of float32 [32]" in message
    assert "encoder.norms.0.bias is float64 [16] instead of float32 [16]" in message
