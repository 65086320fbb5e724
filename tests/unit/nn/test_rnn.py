"""Recurrent layers against torch's own cells, stepwise against at once, and weight dropout."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from s2s.nn.rnn import Cell, RecurrentLayer, State

TORCH: list[Cell] = ["lstm", "gru", "elman", "elman-relu"]
CELLS: list[Cell] = [*TORCH, "min-gru"]
B, T, F, H = 3, 7, 5, 4


def torch_cell(kind: Cell) -> Callable[[Tensor, State], State]:
    """torch's single-step cell with the interface of a state."""
    if kind == "lstm":
        lstm = nn.LSTMCell(F, H)
        return Wrapped(lstm, lstm)
    if kind == "gru":
        gru = nn.GRUCell(F, H)
        return Wrapped(gru, lambda x, state: (gru(x, state[0]),))
    rnn = nn.RNNCell(F, H, nonlinearity="relu" if kind == "elman-relu" else "tanh")
    return Wrapped(rnn, lambda x, state: (rnn(x, state[0]),))


class Wrapped:
    """A cell that takes its weights from a layer."""

    def __init__(self, module: nn.RNNCellBase, run: Callable[[Tensor, State], State]) -> None:
        self.module = module
        self.run = run

    def __call__(self, inputs: Tensor, state: State) -> State:
        return self.run(inputs, state)

    def copy(self, layer: RecurrentLayer) -> None:
        """Use the layer's weights."""
        weights = layer.rnn.state_dict()
        self.module.load_state_dict({name.removesuffix("_l0"): weight for name, weight in weights.items()})


def layer_and_state(kind: Cell, dropout: float = 0.0) -> tuple[RecurrentLayer, Tensor, State]:
    """A layer with random weights, inputs (B, T, F) and a state that is not zero."""
    torch.manual_seed(3)
    layer = RecurrentLayer(kind, F, H, dropout)
    return layer, torch.randn(B, T, F), tuple(torch.rand(B, H) for _ in range(layer.state_parts))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", TORCH)
def test_a_layer_is_its_cell_from_step_to_step(kind: Cell, training: bool) -> None:
    layer, inputs, state = layer_and_state(kind)
    cell = torch_cell(kind)
    assert isinstance(cell, Wrapped)
    cell.copy(layer)
    outputs, after = layer.train(training)(inputs, state)
    for step in range(T):
        state = cell(inputs[:, step], state)
        torch.testing.assert_close(outputs[:, step], state[0])
    torch.testing.assert_close(after, state)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", CELLS)
def test_step_by_step_equals_the_whole_sequence(kind: Cell, training: bool) -> None:
    layer, inputs, state = layer_and_state(kind)
    layer.train(training)
    outputs, after = layer(inputs, state)
    for step in range(T):
        output, state = layer(inputs[:, step : step + 1], state)
        torch.testing.assert_close(output[:, 0], outputs[:, step])
    torch.testing.assert_close(after, state)


@pytest.mark.parametrize("kind", CELLS)
def test_no_state_means_zeros(kind: Cell) -> None:
    layer, inputs, state = layer_and_state(kind)
    zeros = tuple(torch.zeros_like(part) for part in state)
    torch.testing.assert_close(layer(inputs)[0], layer(inputs, zeros)[0], rtol=0, atol=0)
    torch.testing.assert_close(layer.zeros(inputs), zeros)


def test_an_lstm_by_hand() -> None:
    """Hochreiter & Schmidhuber with a forget gate, gates in the order input, forget, cell, output."""
    layer, inputs, (hidden, memory) = layer_and_state("lstm")
    weight = {name: part.detach() for name, part in layer.rnn.named_parameters()}
    gates = inputs[:, 0] @ weight["weight_ih_l0"].t() + hidden @ weight["weight_hh_l0"].t()
    i, f, g, o = (gates + weight["bias_ih_l0"] + weight["bias_hh_l0"]).chunk(4, dim=1)
    memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
    outputs, (_, after) = layer(inputs[:, :1], layer_and_state("lstm")[2])
    torch.testing.assert_close(after, memory)
    torch.testing.assert_close(outputs[:, 0], o.sigmoid() * memory.tanh())


@pytest.mark.parametrize("kind", TORCH)
def test_weight_dropout_acts_in_training_only(kind: Cell) -> None:
    layer, inputs, state = layer_and_state(kind, dropout=0.5)
    plain = layer_and_state(kind)[0]
    torch.testing.assert_close(layer.eval()(inputs, state), plain(inputs, state), rtol=0, atol=0)
    first, second = (layer.train()(inputs, state)[0] for _ in range(2))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("kind", TORCH)
def test_weight_dropout_drops_recurrent_weights_alone_and_once_for_all_steps(kind: Cell) -> None:
    """The layer equals a plain one whose recurrent matrix is what the same draw leaves of it."""
    layer, inputs, state = layer_and_state(kind, dropout=0.5)
    plain = layer_and_state(kind)[0]
    with torch.no_grad():
        torch.manual_seed(8)
        recurrent = plain.rnn.get_parameter("weight_hh_l0")
        recurrent.copy_(torch.nn.functional.dropout(recurrent, 0.5))
    torch.manual_seed(8)
    torch.testing.assert_close(layer.train()(inputs, state), plain(inputs, state))
    torch.manual_seed(8)
    alone, _ = layer.train()(inputs[:, :1], state)
    torch.testing.assert_close(alone, plain(inputs[:, :1], state)[0])


@pytest.mark.parametrize("kind", TORCH)
def test_gradients_pass_weight_dropout(kind: Cell) -> None:
    layer, inputs, state = layer_and_state(kind, dropout=0.5)
    layer.train()(inputs, state)[0].sum().backward()
    gradient = layer.rnn.get_parameter("weight_hh_l0").grad
    assert gradient is not None
    assert 0 < int((gradient == 0).sum()) < gradient.numel()
