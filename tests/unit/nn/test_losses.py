"""The label-smoothed loss against torch's, with gradients, over more positions than one piece holds."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from s2s.nn.losses import PIECE, smoothed_cross_entropy

E, V = 6, 11


def inputs(positions: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Features, weight and bias (leaves), and labels."""
    torch.manual_seed(4)
    features, weight, bias = (torch.randn(*shape).requires_grad_() for shape in ((positions, E), (V, E), (V,)))
    return features, weight, bias, torch.randint(0, V, (positions,))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("positions", [1, PIECE, 2 * PIECE + 3])
def test_the_loss_and_its_gradients_are_torchs(positions: int, smoothing: float) -> None:
    features, weight, bias, labels = inputs(positions)
    leaves = (features, weight, bias)
    loss, likelihood = smoothed_cross_entropy(features, weight, bias, labels, smoothing)
    mine = torch.autograd.grad(loss / positions, leaves)

    logits = functional.linear(features, weight, bias)
    theirs = functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")
    expected = torch.autograd.grad(theirs / positions, leaves)
    torch.testing.assert_close(loss.float(), theirs)
    torch.testing.assert_close(likelihood.float(), functional.cross_entropy(logits, labels, reduction="sum"))
    torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-6)


def test_the_gradient_scales_with_the_loss() -> None:
    features, weight, bias, labels = inputs(5)
    (once,) = torch.autograd.grad(smoothed_cross_entropy(features, weight, bias, labels, 0.1)[0], features)
    (thrice,) = torch.autograd.grad(3 * smoothed_cross_entropy(features, weight, bias, labels, 0.1)[0], features)
    torch.testing.assert_close(thrice, 3 * once)


def test_the_likelihood_has_no_gradient() -> None:
    features, weight, bias, labels = inputs(5)
    _, likelihood = smoothed_cross_entropy(features, weight, bias, labels, 0.1)
    assert not likelihood.requires_grad


def test_without_gradients_the_values_are_the_same() -> None:
    features, weight, bias, labels = inputs(PIECE + 1)
    loss, likelihood = smoothed_cross_entropy(features, weight, bias, labels, 0.1)
    with torch.inference_mode():
        again = smoothed_cross_entropy(features, weight, bias, labels, 0.1)
    assert torch.equal(torch.stack(again), torch.stack([loss.detach(), likelihood]))


def test_huge_logits_stay_finite() -> None:
    features = torch.full((2, 1), 1e4).requires_grad_()
    weight = torch.tensor([[1.0], [-1.0]]).requires_grad_()
    loss, _ = smoothed_cross_entropy(features, weight, torch.zeros(2), torch.tensor([0, 1]), 0.0)
    assert loss.item() == pytest.approx(2e4)
    (gradient,) = torch.autograd.grad(loss, features)
    assert gradient.flatten().tolist() == [0.0, 2.0]


def test_bfloat16_features_come_close() -> None:
    """Under autocast the logits are made in bfloat16, sums and gradients of the weights in float32."""
    features, weight, bias, labels = inputs(2 * PIECE + 3)
    leaves = (features, weight, bias)
    with torch.autocast("cpu", torch.bfloat16):
        narrow = functional.linear(features, torch.eye(E))
        assert narrow.dtype == torch.bfloat16
        loss, _ = smoothed_cross_entropy(narrow, weight, bias, labels, 0.1)
    found = torch.autograd.grad(loss / len(labels), leaves)
    reference = functional.cross_entropy(functional.linear(features, weight, bias), labels, label_smoothing=0.1)
    expected = torch.autograd.grad(reference, leaves)
    assert loss.item() / len(labels) == pytest.approx(reference.item(), rel=2e-3)
    assert [part.dtype for part in found] == [torch.float32] * 3
    for mine, theirs in zip(found, expected, strict=True):
        assert (mine - theirs).norm() < 0.02 * theirs.norm()
