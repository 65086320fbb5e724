"""From what the encoder read to the decoder's first state."""

import torch
from torch import Tensor

from s2s.nn.bridge import Bridge, ZeroBridge
from s2s.nn.encoder import Encoded

B, S, D, H = 3, 5, 6, 4
LENGTHS = [5, 1, 3]


def encoded() -> Encoded:
    """A memory with zeros beyond the ends."""
    torch.manual_seed(0)
    mask = torch.arange(S) < torch.tensor(LENGTHS).unsqueeze(1)
    return Encoded(torch.randn(B, S, D).masked_fill(~mask.unsqueeze(2), 0.0), mask, torch.randn(B, D))


def affine(bridge: Bridge, summary: Tensor) -> Tensor:
    """tanh of the affine map of one summary (D): (layers, parts, H)."""
    flat = torch.tanh(bridge.project.weight @ summary + bridge.project.bias)
    return flat.view(bridge.layers, bridge.parts, H)


def test_mean_summarises_real_positions_only() -> None:
    memory = encoded()
    bridge = Bridge("mean", D, H, layers=3, parts=2)
    states = bridge(memory)
    assert [[tuple(part.shape) for part in state] for state in states] == [[(B, H)] * 2] * 3
    for row, length in enumerate(LENGTHS):
        expected = affine(bridge, memory.values[row, :length].mean(0))
        found = torch.stack([torch.stack([part[row] for part in state]) for state in states])
        torch.testing.assert_close(found, expected)


def test_last_summarises_the_two_ends() -> None:
    memory = encoded()
    bridge = Bridge("last", D, H, layers=1, parts=1)
    ((state,),) = bridge(memory)
    for row in range(B):
        torch.testing.assert_close(state[row], affine(bridge, memory.last[row])[0, 0])


def test_zeros_have_no_weights() -> None:
    bridge = ZeroBridge(H, layers=2, parts=2)
    assert list(bridge.parameters()) == []
    for state in bridge(encoded()):
        assert [part.tolist() for part in state] == [[[0.0] * H] * B] * 2
