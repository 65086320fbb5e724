"""Recurrent layers: one direction, one layer, of any cell; over a whole sequence or one step at a time."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from s2s.nn.light import MinGru

Cell = Literal["lstm", "gru", "elman", "elman-relu", "min-gru"]
State = tuple[Tensor, ...]
"""What a layer carries from step to step: (hidden, cell) for LSTM, else (hidden,); each (B, H)."""

_STEP: dict[Cell, Callable[..., Tensor]] = {
    "gru": torch.gru_cell,
    "elman": torch.rnn_tanh_cell,
    "elman-relu": torch.rnn_relu_cell,
}


def _sequence_layer(cell: Cell, input_width: int, width: int) -> nn.RNNBase | MinGru:
    if cell == "min-gru":
        return MinGru(input_width, width)
    if cell == "lstm":
        return nn.LSTM(input_width, width, batch_first=True)
    if cell == "gru":
        return nn.GRU(input_width, width, batch_first=True)
    return nn.RNN(input_width, width, batch_first=True, nonlinearity="relu" if cell == "elman-relu" else "tanh")


class RecurrentLayer(nn.Module):
    """A layer of `torch.nn` whose recurrent matrix can lose weights at random while it learns, or a light one.

    Weight dropout is that of Merity et al. 2018, "Regularizing and Optimizing LSTM Language Models": one mask for
    all time steps of a batch. It has no effect on min-gru, which has no recurrent matrix.
    """

    def __init__(self, cell: Cell, input_width: int, width: int, weight_dropout: float = 0.0) -> None:
        super().__init__()
        self.cell: Cell = cell
        self.width = width
        self.weight_dropout = weight_dropout
        self.rnn = _sequence_layer(cell, input_width, width)

    @property
    def state_parts(self) -> int:
        """How many tensors a state has."""
        return 2 if self.cell == "lstm" else 1

    def zeros(self, like: Tensor) -> State:
        """The state before the first step for the batch of `like` (B, ...)."""
        return tuple(like.new_zeros(like.shape[0], self.width) for _ in range(self.state_parts))

    def forward(self, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Inputs (B, T, F) and the state before them (zeros if None) to outputs (B, T, H) and the state after them.

        Outside training a single step takes the cell's own kernel, several times faster than a sequence of one.
        """
        if state is None:
            state = self.zeros(inputs)
        if self.cell == "min-gru":
            outputs, last = self.rnn(inputs, state[0])
            return outputs, (last,)
        if inputs.shape[1] == 1 and not self.training:
            state = self._step(inputs[:, 0], state)
            return state[0].unsqueeze(1), state
        if self.training and self.weight_dropout > 0:
            return self._sequence_with_dropped_weights(inputs, state)
        past = tuple(part.unsqueeze(0) for part in state)
        outputs, after = self.rnn(inputs, past if self.cell == "lstm" else past[0])
        return outputs, tuple(part[0] for part in (after if self.cell == "lstm" else (after,)))

    def weights(self) -> list[Tensor]:
        """Of inputs (gates * H, F) and states (gates * H, H), then biases (gates * H); of min-gru for inputs alone."""
        rnn = self.rnn
        if isinstance(rnn, MinGru):
            return [rnn.weight, rnn.bias]
        return [getattr(rnn, name) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")]

    def _step(self, inputs: Tensor, state: State) -> State:
        if self.cell == "lstm":
            return torch.lstm_cell(inputs, list(state), *self.weights())
        return (_STEP[self.cell](inputs, state[0], *self.weights()),)

    def _sequence_with_dropped_weights(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        input_weight, recurrent_weight, *biases = self.weights()
        weights = [input_weight, functional.dropout(recurrent_weight, self.weight_dropout), *biases]
        past = [part.unsqueeze(0) for part in state]
        settings = (True, 1, 0.0, True, False, True)  # biases, layers, dropout, training, bidirectional, batch first
        if self.cell == "lstm":
            outputs, *after = torch.lstm(inputs, past, weights, *settings)
        else:
            run = {"gru": torch.gru, "elman": torch.rnn_tanh, "elman-relu": torch.rnn_relu}[self.cell]
            outputs, *after = run(inputs, past[0], weights, *settings)
        return outputs, tuple(part[0] for part in after)
