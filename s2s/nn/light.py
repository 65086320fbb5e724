"""The light cell: its gate reads inputs alone, so that a whole sequence is one product and one parallel scan."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class MinGru(nn.Module):
    """The minimal GRU of Feng et al. 2024, "Were RNNs All We Needed?", arXiv:2410.01201, section 3.1.1.

    h_t = (1 - z_t) h_{t-1} + z_t c_t, with the gate z_t = sigmoid(W_z x_t + b_z) and the new content
    c_t = W_c x_t + b_c. States may have any sign: the paper's scan of logarithms, which takes positive ones alone, is
    not used. They stay within the range of the first state and the contents, since each is a mean of two of these.
    """

    def __init__(self, input_width: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2 * width, input_width))
        self.bias = nn.Parameter(torch.empty(2 * width))
        bound = width**-0.5  # as in the recurrent layers of torch
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (B, T, F) and the state (B, H) before them to outputs (B, T, H) and the state (B, H) after them.

        Products may be in a low precision, where mistakes do not add up; the recurrence is in float32 or better.
        """
        product = functional.linear(inputs, self.weight, self.bias)
        gate, content = product.to(torch.promote_types(product.dtype, torch.float32)).chunk(2, dim=2)
        gate = torch.sigmoid(gate)
        outputs = scan(1 - gate, gate * content, state.to(gate.dtype)).to(inputs.dtype)
        return outputs, outputs[:, -1].clone()  # a state is carried on, and must not hold the sequence in memory


def scan(keep: Tensor, added: Tensor, initial: Tensor) -> Tensor:
    """The states (B, T, H) x_t = keep_t x_{t-1} + added_t that follow on `initial` (B, H); no loop over time.

    What is kept and what is added (B, T, H) have the type of `initial`. What is kept lies between 0 and 1.
    """
    apply: Any = _Scan.apply
    states: Tensor = apply(keep, added, initial)
    return states


class _Scan(torch.autograd.Function):
    """The gradient of a linear recurrence is one too, from the last step to the first."""

    @staticmethod
    def forward(context: Any, keep: Tensor, added: Tensor, initial: Tensor) -> Tensor:
        states = added.clone()
        states[:, 0].addcmul_(keep[:, 0], initial)
        _solve(keep.clone(), states)
        context.save_for_backward(keep, states, initial)
        return states

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        keep, states, initial = context.saved_tensors
        following = functional.pad(keep[:, 1:].flip(1), (0, 0, 1, 0))
        reached = gradient.flip(1)
        _solve(following, reached)
        reached = reached.flip(1)
        before = torch.cat([initial.unsqueeze(1), states[:, :-1]], dim=1)
        return reached * before, reached, reached[:, 0] * keep[:, 0]

    @staticmethod
    def symbolic(graph: Any, keep: Any, added: Any, initial: Any) -> Any:
        """What an ONNX graph has in its place: `Scan`, which `s2s.export.scans` then gives the graph of its step."""
        settings = {"num_scan_inputs_i": 2, "scan_input_axes_i": [1, 1], "scan_output_axes_i": [1]}
        _, states = graph.op("s2s::Scan", initial, keep, added, outputs=2, **settings)
        return states.setType(added.type())


def _solve(keep: Tensor, values: Tensor) -> None:
    """Turn `values` (B, T, H) into x_t = keep_t x_{t-1} + values_t, the first staying; `keep` (B, T, H) is used up.

    A scan of 2 log2(T) sweeps (Brent & Kung 1982; for recurrences Martin & Cundy 2018, arXiv:1709.04057). Nothing is
    divided, so that what is forgotten fades to zero and is harmless. The order of the sums up to a step does not depend
    on how many steps follow.
    """
    steps, span = values.shape[1], 1
    while 2 * span <= steps:  # the end of every second, fourth, ... stretch learns what went on in all of it
        ends, middles = slice(2 * span - 1, None, 2 * span), slice(span - 1, steps - span, 2 * span)
        values[:, ends].addcmul_(keep[:, ends], values[:, middles])
        keep[:, ends].mul_(keep[:, middles])
        span *= 2
    while span > 1:  # the middles of ever shorter stretches learn what went on before them
        span //= 2
        middles, ends = slice(3 * span - 1, None, 2 * span), slice(2 * span - 1, steps - span, 2 * span)
        values[:, middles].addcmul_(keep[:, middles], values[:, ends])
