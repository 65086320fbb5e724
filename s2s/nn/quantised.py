"""Layers with weights and activations of eight bits, for inference on a CPU.

A weight matrix has a scale for each of its rows, and so has a matrix of activations: what one segment gives does not
depend on the others of its batch (as in LLM.int8(), Dettmers et al. 2022, arXiv:2208.07339). Products are sums of whole
numbers, and exact.
"""

import torch
from torch import Tensor, nn

from s2s.nn.output import Output
from s2s.nn.rnn import Cell, RecurrentLayer, State

LARGEST = 127


def quantise(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (N, F) as whole numbers from -127 to 127, and the scale (N, 1) that gives them back."""
    scale = rows.abs().amax(1, keepdim=True).div_(LARGEST).clamp_min_(torch.finfo(torch.float32).tiny)
    return (rows / scale).round_().to(torch.int8), scale


class QuantisedLinear(nn.Module):
    """A linear layer (F to D) of eight bits."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        quantised, scale = quantise(weight.detach())
        self.register_buffer("weight", quantised.t())  # (F, D): rows of D would be read column by column
        self.register_buffer("scale", scale.squeeze(1))
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (..., F) to (..., D)."""
        rows, scale = quantise(inputs.flatten(0, -2))
        product = torch._int_mm(rows, self.weight).to(inputs.dtype).mul_(scale).mul_(self.scale)
        if self.bias is not None:
            product.add_(self.bias)
        return product.view(*inputs.shape[:-1], -1)


class QuantisedRecurrentLayer(nn.Module):
    """A recurrent layer of eight bits, which loops over time: for decoders, which take one step at a time."""

    def __init__(self, layer: RecurrentLayer) -> None:
        super().__init__()
        input_weight, recurrent_weight, input_bias, recurrent_bias = layer.weights()
        self.cell: Cell = layer.cell
        self.inputs = QuantisedLinear(input_weight, input_bias)
        self.recurrent = QuantisedLinear(recurrent_weight, recurrent_bias)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Inputs (B, T, F) and the state before them to outputs (B, T, H) and the state after them."""
        outputs = []
        for entering in self.inputs(inputs).unbind(1):
            state = self._step(entering, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state

    def _step(self, entering: Tensor, state: State) -> State:
        hidden, recurrent = state[0], self.recurrent(state[0])
        if self.cell == "lstm":
            return _lstm(entering.add_(recurrent), state[1])
        if self.cell == "gru":
            return (_gru(entering, recurrent, hidden),)
        total = entering.add_(recurrent)
        return (torch.relu(total) if self.cell == "elman-relu" else tanh(total),)


def tanh(values: Tensor) -> Tensor:
    """tanh to within 2e-7; torch takes MKL's own, which is 15 times slower than its sigmoid on some processors."""
    return torch.sigmoid(values * 2).mul_(2).sub_(1)


def _lstm(gates: Tensor, cell: Tensor) -> State:
    """Sums (N, 4H) of the gates for input, forgetting, new content and output, and the cell (N, H) before."""
    enter, forget, content, leave = gates.chunk(4, dim=1)
    cell = torch.addcmul(torch.sigmoid(forget) * cell, torch.sigmoid(enter), tanh(content))
    return torch.sigmoid(leave) * tanh(cell), cell


def _gru(entering: Tensor, recurrent: Tensor, hidden: Tensor) -> Tensor:
    """What enters and what recurs (N, 3H) for the gates of resetting and updating and for new content."""
    width = hidden.shape[1]
    gates = torch.sigmoid(entering[:, : 2 * width] + recurrent[:, : 2 * width])
    content = tanh(torch.addcmul(entering[:, 2 * width :], gates[:, :width], recurrent[:, 2 * width :]))
    return torch.lerp(content, hidden, gates[:, width:])


class QuantisedOutput(nn.Module):
    """The output layer of eight bits."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self.bottleneck = QuantisedLinear(output.bottleneck.weight, output.bottleneck.bias)
        self.vocabulary = QuantisedLinear(output.embedding.weight, output.bias)

    def narrow(self, features: Tensor) -> Tensor:
        """Features (B, T, H + C + E) to what the vocabulary is compared with (B, T, E)."""
        return tanh(self.bottleneck(features))

    def forward(self, narrowed: Tensor) -> Tensor:
        """Narrowed features (..., E) to logits (..., V)."""
        logits: Tensor = self.vocabulary(narrowed)
        return logits


def quantised(module: nn.Module) -> nn.Module:
    """A module whose linear, recurrent and output layers have eight bits; what else it has is shared with the given."""
    if isinstance(module, nn.Linear):
        return QuantisedLinear(module.weight, module.bias)
    if isinstance(module, RecurrentLayer):
        return QuantisedRecurrentLayer(module)
    if isinstance(module, Output):
        return QuantisedOutput(module)
    for name, child in module.named_children():
        setattr(module, name, quantised(child))
    return module
