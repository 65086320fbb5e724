"""The label-smoothed cross-entropy over a large vocabulary, without a dense target and with logits in small pieces."""

from typing import Any

import torch
from torch import Tensor, nn

from s2s.nn.products import multiply

PIECE = 512
"""Positions whose logits are held at once: a piece of 512 x 4,000 fits into a processor's cache."""

MULTIPLE = 64
"""The last piece is padded to a multiple of so many positions."""


class _SmoothedCrossEntropy(torch.autograd.Function):
    """Loss and gradients in one pass: a piece of logits becomes its own gradient before the next piece is made."""

    @staticmethod
    def forward(
        context: Any, features: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        wanted = any(context.needs_input_grad)
        loss = torch.zeros((), dtype=torch.float64, device=features.device)
        negative_log_likelihood = torch.zeros_like(loss)
        gradients = [torch.empty_like(features), torch.zeros_like(weight), torch.zeros_like(bias)] if wanted else []
        matrix, shift = weight.to(features.dtype), bias.to(features.dtype)
        for start in range(0, len(features), PIECE):
            piece = slice(start, start + PIECE)
            inputs, right_ones = _padded(features[piece]), labels[piece]
            count = len(right_ones)
            logits = multiply(inputs, matrix, shift).float()
            probabilities = torch.softmax(logits, dim=1)
            real = logits[:count]
            total = real.amax(1) - probabilities[:count].amax(1).log()  # the likeliest entry has at least 1 / V
            right = real.gather(1, right_ones.unsqueeze(1)).squeeze(1)
            mean = real.mean(1)
            negative_log_likelihood += (total - right).sum()
            loss += (total - (1 - smoothing) * right - smoothing * mean).sum()
            if wanted:
                slope = probabilities.sub_(smoothing / logits.shape[1])
                slope[:count].scatter_add_(1, right_ones.unsqueeze(1), slope.new_full((count, 1), smoothing - 1))
                slope[count:] = 0
                gradients[2].add_(slope.sum(0))
                slope = slope.to(features.dtype)
                gradients[0][piece] = multiply(slope, matrix.t())[:count]
                gradients[1].t().add_(multiply(inputs.t(), slope.t()))
        context.save_for_backward(*gradients)
        context.mark_non_differentiable(negative_log_likelihood)
        return loss, negative_log_likelihood

    @staticmethod
    def backward(context: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        scale = outputs[0]
        features, weight, bias = (gradient * scale.to(gradient.dtype) for gradient in context.saved_tensors)
        return features, weight, bias, None, None


def _padded(rows: Tensor) -> Tensor:
    """Rows (N, E) with zeros after them: oneDNN makes and keeps primitives for each number of rows that it meets."""
    return nn.functional.pad(rows, (0, 0, 0, -len(rows) % MULTIPLE))


def smoothed_cross_entropy(
    features: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Sums over N positions of the label-smoothed loss, and of the plain negative log-likelihood (no gradient).

    Features (N, E), weight (V, E), bias (V), labels (N). The smoothed target gives 1 - smoothing to the label and
    shares the rest among all V entries (Szegedy et al. 2016), as `torch.nn.functional.cross_entropy` does.
    """
    apply: Any = _SmoothedCrossEntropy.apply
    loss, negative_log_likelihood = apply(features, weight, bias, labels, smoothing)
    return loss, negative_log_likelihood
