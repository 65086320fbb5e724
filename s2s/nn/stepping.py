"""Models made ready to be asked one step at a time, for inference on a CPU: the same layers around other products.

A step is many short products. Here a step of a recurrent layer is one product of its input and its state together,
where its cell allows that, and no function of it is a slow one. A light cell has no product of its state.
"""

from collections.abc import Callable
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from s2s.nn.output import Output
from s2s.nn.rnn import Cell, RecurrentLayer, State


class Linear(Protocol):
    """A linear layer (F to D) with its own product, see `s2s.nn.products`."""

    def __call__(self, inputs: Tensor) -> Tensor:
        """Inputs (..., F) to (..., D)."""


MakeLinear = Callable[[Tensor, Tensor | None], nn.Module]
"""Weight (D, F) and bias (D) to a module that is a `Linear`."""


class SteppingLayer(nn.Module):
    """A recurrent layer that loops over time: for decoders, which take one step at a time."""

    def __init__(self, layer: RecurrentLayer, make_linear: MakeLinear) -> None:
        super().__init__()
        self.cell: Cell = layer.cell
        weights = [weight.detach() for weight in layer.weights()]
        if self.cell == "min-gru":
            self.inputs = make_linear(*weights)
            return
        input_weight, recurrent_weight, input_bias, recurrent_bias = weights
        if self.cell == "gru":  # its new content reads the state after the gate that resets it
            self.inputs = make_linear(input_weight, input_bias)
            self.recurrent = make_linear(recurrent_weight, recurrent_bias)
            return
        weight, bias = torch.cat([input_weight, recurrent_weight], dim=1), input_bias + recurrent_bias
        if self.cell == "lstm":  # tanh(x) is 2 sigmoid(2x) - 1, and one call makes all gates and the new content
            width = layer.width
            doubled = torch.ones_like(bias)
            doubled[2 * width : 3 * width] = 2
            weight, bias = weight * doubled.unsqueeze(1), bias * doubled
        self.both = make_linear(weight, bias)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Inputs (B, T, F) and the state before them to outputs (B, T, H) and the state after them."""
        if inputs.shape[1] == 1:
            state = self._step(inputs[:, 0], state)
            return state[0].unsqueeze(1), state
        outputs = []
        for entering in inputs.unbind(1):
            state = self._step(entering, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state

    def _step(self, inputs: Tensor, state: State) -> State:
        hidden = state[0]
        if self.cell == "min-gru":
            gate, content = self.inputs(inputs).chunk(2, dim=1)
            return (torch.lerp(hidden, content, torch.sigmoid(gate)),)
        if self.cell == "gru":
            return (_gru(self.inputs(inputs), self.recurrent(hidden), hidden),)
        total: Tensor = self.both(torch.cat([inputs, hidden], dim=1))
        if self.cell == "lstm":
            return _lstm(total, state[1])
        return (total.relu_() if self.cell == "elman-relu" else tanh(total),)


def tanh(values: Tensor) -> Tensor:
    """tanh to within 2e-7; torch takes MKL's own, which is 15 times slower than its sigmoid on some processors."""
    return torch.sigmoid(values * 2).mul_(2).sub_(1)


def _lstm(total: Tensor, cell: Tensor) -> State:
    """Sums (N, 4H) for the gates of input, forgetting and output, doubled for new content (third); cell (N, H)."""
    enter, forget, content, leave = total.sigmoid_().chunk(4, dim=1)
    cell = torch.addcmul(forget * cell, enter, content.mul_(2).sub_(1))
    return tanh(cell).mul_(leave), cell


def _gru(entering: Tensor, recurrent: Tensor, hidden: Tensor) -> Tensor:
    """What enters and what recurs (N, 3H) for the gates of resetting and updating and for new content."""
    width = hidden.shape[1]
    gates = torch.sigmoid(entering[:, : 2 * width] + recurrent[:, : 2 * width])
    content = tanh(torch.addcmul(entering[:, 2 * width :], gates[:, :width], recurrent[:, 2 * width :]))
    return torch.lerp(content, hidden, gates[:, width:])


class SteppingOutput(nn.Module):
    """The output layer."""

    def __init__(self, output: Output, make_linear: MakeLinear) -> None:
        super().__init__()
        self.bottleneck = make_linear(output.bottleneck.weight, output.bottleneck.bias)
        self.vocabulary = make_linear(output.embedding.weight, output.bias)

    def narrow(self, features: Tensor) -> Tensor:
        """Features (B, T, H + C + E) to what the vocabulary is compared with (B, T, E)."""
        return tanh(self.bottleneck(features))

    def forward(self, narrowed: Tensor) -> Tensor:
        """Narrowed features (..., E) to logits (..., V)."""
        return cast(Linear, self.vocabulary)(narrowed)


def stepping(module: nn.Module, make_linear: MakeLinear) -> nn.Module:
    """A module whose linear, recurrent and output layers are made anew; what else it has is shared with the given."""
    if isinstance(module, nn.Linear):
        return make_linear(module.weight, module.bias)
    if isinstance(module, RecurrentLayer):
        return SteppingLayer(module, make_linear)
    if isinstance(module, Output):
        return SteppingOutput(module, make_linear)
    for name, child in module.named_children():
        setattr(module, name, stepping(child, make_linear))
    return module
