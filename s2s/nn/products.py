"""Linear layers for inference on a CPU, whose weights are laid out or rounded once, when the layer is made."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

LARGEST = 127


class PackedLinear(nn.Module):
    """A linear layer (F to D) of float32, by oneDNN where torch has it.

    oneDNN lays the weight out as its products read it. A product takes a half to a third of the time that torch's
    default library (MKL) takes on a processor that is not Intel's, and as much for a single row.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.width = len(weight)
        self.packs = has_packed_products()
        weight = weight.detach().clone()
        if self.packs:
            weight = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", None if bias is None else bias.detach().clone(), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (..., F) to (..., D)."""
        if not self.packs:
            outputs: Tensor = nn.functional.linear(inputs, self.weight, self.bias)
            return outputs
        rows = inputs.flatten(0, -2)
        count = len(rows)
        padded = nn.functional.pad(rows, (0, 0, 0, _rounded(count) - count))
        product: Tensor = torch.ops.mkldnn._linear_pointwise(padded, self.weight, self.bias, "none", [], "")
        return product[:count].view(*inputs.shape[:-1], -1)


def _rounded(rows: int) -> int:
    """A number of rows that other batches are likely to have, too: oneDNN makes and keeps a primitive for each."""
    multiple = 1 if rows <= 8 else 8 if rows <= 128 else 32
    return -(-rows // multiple) * multiple


def has_packed_products() -> bool:
    """Whether torch has oneDNN's products with packed weights; they have no public name."""
    names = ("_reorder_linear_weight", "_linear_pointwise")
    there: Callable[[], bool] = torch.backends.mkldnn.is_available
    return there() and all(hasattr(torch.ops.mkldnn, name) for name in names)


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
