"""The label-smoothed cross-entropy over a large vocabulary, without a dense target and with logits in small pieces."""

from typing import Any

import torch
from torch import Tensor

PIECE = 512
"""Positions whose logits are held at once: a piece of 512 x 4,000 fits into a processor's cache."""


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
        for start in range(0, len(features), PIECE):
            piece = slice(start, start + PIECE)
            logits = torch.addmm(bias, features[piece], weight.t()).float()
            probabilities = torch.softmax(logits, dim=1)
            total = logits.amax(1) - probabilities.amax(1).log()  # the likeliest entry has at least 1 / V
            right = logits.gather(1, labels[piece].unsqueeze(1)).squeeze(1)
            mean = logits.mean(1)
            negative_log_likelihood += (total - right).sum()
            loss += (total - (1 - smoothing) * right - smoothing * mean).sum()
            if wanted:
                slope = probabilities.sub_(smoothing / logits.shape[1])
                slope.scatter_add_(1, labels[piece].unsqueeze(1), slope.new_full((len(slope), 1), smoothing - 1))
                gradients[2].add_(slope.sum(0))
                slope = slope.to(features.dtype)
                torch.mm(slope, weight.to(slope.dtype), out=gradients[0][piece])
                gradients[1].add_(slope.t() @ features[piece])
        context.save_for_backward(*gradients)
        context.mark_non_differentiable(negative_log_likelihood)
        return loss, negative_log_likelihood

    @staticmethod
    def backward(context: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        scale = outputs[0]
        features, weight, bias = (gradient * scale.to(gradient.dtype) for gradient in context.saved_tensors)
        return features, weight, bias, None, None


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
