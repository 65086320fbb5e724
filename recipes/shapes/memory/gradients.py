"""How much a step far back has to do with the answer: gradients, and the gates that let them through."""

from collections.abc import Sequence
from statistics import mean

import torch
from torch import Tensor

from recipes.shapes.memory.copying import Recaller
from s2s.nn.rnn import State

FAR = 100
"""Steps that gradients are followed back."""


def gradient_norms(model: Recaller, source: Tensor, labels: Tensor) -> list[float]:
    """The norm of the loss's gradient by the state that is k steps back, for k = 0, 1, ..., over that for k = 0.

    Sources (B, S, F) of one length, labels (B). The state of an LSTM is both of its parts. Means over B of the norms.
    """
    states = [tuple(part.requires_grad_() for part in model.layer.zeros(source))]
    for step in range(source.shape[1]):
        states.append(_step(model, source[:, step : step + 1], states[-1]))
    logits = model.project(states[-1][0])
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    flat = [part for state in states for part in state]
    gradients = torch.autograd.grad(loss, flat, allow_unused=True)
    found = iter(torch.zeros_like(part) if one is None else one for part, one in zip(flat, gradients, strict=True))
    norms = [torch.cat([next(found) for _ in state], dim=1).norm(dim=1).mean().item() for state in states][::-1]
    return [norm / norms[0] for norm in norms]


def _step(model: Recaller, inputs: Tensor, state: State) -> State:
    """The state after one step, which a gradient can be asked of."""
    after: State = model.layer(inputs, state)[1]
    return after


@torch.inference_mode()
def mean_gate(model: Recaller, source: Tensor) -> float | None:
    """What is kept of the state at each step: the mean of an LSTM's forget gate, or of a GRU's update gate.

    Of a min-gru it is what its gate leaves. None for cells without a gate. Sources (B, S, F) of one length.
    """
    layer = model.layer
    if layer.cell == "min-gru":
        weight, bias = (part[: layer.width] for part in layer.weights())
        return 1 - torch.sigmoid(source @ weight.T + bias).mean().item()
    if layer.cell not in ("lstm", "gru"):
        return None
    input_weight, recurrent_weight, input_bias, recurrent_bias = layer.weights()
    gate = slice(layer.width, 2 * layer.width)  # the second in torch's order: of i, f, g, o, and of r, z, n
    state, gates = layer.zeros(source), []
    for step in range(source.shape[1]):
        inputs = source[:, step]
        score = inputs @ input_weight[gate].T + input_bias[gate] + recurrent_bias[gate]
        gates.append(torch.sigmoid(score + state[0] @ recurrent_weight[gate].T).mean().item())
        state = _step(model, inputs.unsqueeze(1), state)
    return mean(gates)


def reach(norms: Sequence[float], least: float = 0.01) -> int:
    """The distance from which on a gradient is below a hundredth of what it is at the end."""
    return next((distance for distance, norm in enumerate(norms) if norm < least), len(norms))
