"""Initial weights by role."""

import pytest
import torch
from torch import Tensor, nn

from s2s.nn.initialisation import initialise
from s2s.nn.rnn import Cell, RecurrentLayer

F, H = 12, 8


def layer(kind: Cell) -> RecurrentLayer:
    """A layer with initial weights."""
    torch.manual_seed(0)
    made = RecurrentLayer(kind, F, H)
    initialise(made)
    return made


def gates(made: RecurrentLayer, name: str) -> tuple[Tensor, ...]:
    """The blocks of H rows of a matrix."""
    return torch.split(made.rnn.get_parameter(name).detach(), H)


@pytest.mark.parametrize(("kind", "count"), [("lstm", 4), ("gru", 3), ("elman", 1), ("elman-relu", 1)])
def test_recurrent_matrices_are_orthogonal_gate_by_gate(kind: Cell, count: int) -> None:
    found = gates(layer(kind), "weight_hh_l0")
    assert len(found) == count
    for gate in found:
        torch.testing.assert_close(gate @ gate.t(), torch.eye(H))
    assert len({tuple(gate.flatten().tolist()) for gate in found}) == count


def test_convolutions_keep_the_variance_of_what_passes_a_relu() -> None:
    torch.manual_seed(0)
    made = nn.Conv2d(4, 64, 3)
    initialise(made)
    assert made.bias is not None
    assert not made.bias.any()
    assert made.weight.var().item() == pytest.approx(2 / (4 * 9), rel=0.1)


@pytest.mark.parametrize("kind", ["lstm", "gru", "elman", "elman-relu"])
def test_input_matrices_are_glorot_uniform_gate_by_gate(kind: Cell) -> None:
    bound = (6 / (F + H)) ** 0.5
    for gate in gates(layer(kind), "weight_ih_l0"):
        assert 0.9 * bound < gate.abs().max().item() <= bound


def test_the_forget_gate_starts_open() -> None:
    made = layer("lstm")
    total = made.rnn.get_parameter("bias_ih_l0") + made.rnn.get_parameter("bias_hh_l0")
    assert total.tolist() == [0.0] * H + [1.0] * H + [0.0] * 2 * H


@pytest.mark.parametrize("kind", ["gru", "elman", "elman-relu"])
def test_other_biases_are_zero(kind: Cell) -> None:
    made = layer(kind)
    assert not made.rnn.get_parameter("bias_ih_l0").any()
    assert not made.rnn.get_parameter("bias_hh_l0").any()


def test_a_light_cell_has_an_input_matrix_gate_by_gate_and_no_bias_at_first() -> None:
    made = layer("min-gru")
    bound = (6 / (F + H)) ** 0.5
    for gate in gates(made, "weight"):
        assert 0.9 * bound < gate.abs().max().item() <= bound
    assert not made.rnn.get_parameter("bias").any()


def test_embeddings_and_affine_maps() -> None:
    torch.manual_seed(0)
    modules = nn.ModuleList([nn.Embedding(500, 64), nn.Linear(100, 50)])
    initialise(modules)
    embedding, linear = modules
    assert embedding.get_parameter("weight").std().item() == pytest.approx(1 / 8, rel=0.05)
    assert linear.get_parameter("weight").abs().max().item() <= (6 / 150) ** 0.5
    assert not linear.get_parameter("bias").any()


def test_weights_are_a_function_of_the_seed() -> None:
    assert all(torch.equal(*pair) for pair in zip(layer("gru").parameters(), layer("gru").parameters(), strict=True))
