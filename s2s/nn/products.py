"""Products by oneDNN, and linear layers for inference on a CPU, whose weights are laid out or rounded once.

torch's products of float32 on a CPU are those of MKL, which is half as fast as oneDNN on a processor that is not
Intel's.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

LARGEST = 127

NARROWEST = 2
"""Products of whole numbers that are narrower within read memory that is not theirs (torch 2.13 on a CPU)."""


def multiply(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Inputs (N, F) times weight (D, F), plus bias (D): (N, D), without gradients; by oneDNN where torch has it."""
    given = [inputs, weight] if bias is None else [inputs, weight, bias]
    assert not (torch.is_grad_enabled() and any(each.requires_grad for each in given)), "a gradient would be lost"
    if inputs.dtype == weight.dtype == torch.float32 and inputs.device.type == "cpu" and has_onednn():
        shift = None if bias is None else bias.contiguous()  # it reads a bias by its address alone
        product: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, shift, "none", [], "")
        return product
    product = nn.functional.linear(inputs, weight, bias)
    return product


@cache
def has_onednn() -> bool:
    """Whether torch has oneDNN's linear products, with weights packed or not; they have no public name."""
    names = ("_reorder_linear_weight", "_linear_pointwise")
    there: Callable[[], bool] = torch.backends.mkldnn.is_available
    return there() and all(hasattr(torch.ops.mkldnn, name) for name in names)


class PackedLinear(nn.Module):
    """A linear layer (F to D) of float32, whose weight is laid out as oneDNN's products read it where torch has them.

    A product takes a half to a third of the time of MKL on a processor that is not Intel's, and as much for one row.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        weight = weight.detach().clone()
        if has_onednn():
            weight = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", None if bias is None else bias.detach().clone(), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (..., F) to (..., D)."""
        rows = inputs.flatten(0, -2)
        count = len(rows)
        padded = nn.functional.pad(rows, (0, 0, 0, _rounded(count) - count))
        product = multiply(padded, self.weight, self.bias)[:count]
        return product.view(*inputs.shape[:-1], product.shape[1])


def _rounded(rows: int) -> int:
    """A number of rows that other batches are likely to have, too: oneDNN makes and keeps a primitive for each."""
    multiple = 1 if rows <= 8 else 8 if rows <= 128 else 32
    return -(-rows // multiple) * multiple


def quantise(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (N, F) as whole numbers from -127 to 127, and the scale (N, 1) that gives them back."""
    scale = rows.abs().amax(1, keepdim=True).div_(LARGEST).clamp_min_(torch.finfo(torch.float32).tiny)
    return (rows / scale).round_().to(torch.int8), scale


class QuantisedLinear(nn.Module):
    """A linear layer (F to D) with weights and activations of eight bits.

    A weight matrix has a scale for each of its rows, and so has a matrix of activations: what one segment gives does
    not depend on the others of its batch (as in LLM.int8(), Dettmers et al. 2022, arXiv:2208.07339). Products are sums
    of whole numbers, and exact.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        quantised, scale = quantise(weight.detach())
        quantised = _widened(quantised)
        self.register_buffer("weight", quantised.t())  # (F, D): rows of D would be read column by column
        self.register_buffer("scale", scale.squeeze(1))
        self.register_buffer("bias", None if bias is None else bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (..., F) to (..., D)."""
        rows, scale = quantise(inputs.flatten(0, -2))
        product = torch._int_mm(_widened(rows), self.weight).to(inputs.dtype).mul_(scale).mul_(self.scale)
        if self.bias is not None:
            product.add_(self.bias)
        return product.view(*inputs.shape[:-1], product.shape[1])


def _widened(rows: Tensor) -> Tensor:
    """Rows (N, F) with zeros after them if they are too narrow."""
    missing = NARROWEST - rows.shape[1]
    return nn.functional.pad(rows, (0, missing)) if missing > 0 else rows
