"""The light cell against a plain loop, its gradients, and how little it asks of lengths, numbers and neighbours."""

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from s2s.nn.encoder import Encoder
from s2s.nn.light import MinGru, scan
from s2s.nn.rnn import Cell, RecurrentLayer

B, F, H = 3, 5, 4
LENGTHS = [1, 2, 3, 4, 7, 8, 9, 31, 64, 100]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(6)


def looped(keep: Tensor, added: Tensor, state: Tensor) -> Tensor:
    """What `scan` finds, one step after the other."""
    states = []
    for step in range(keep.shape[1]):
        state = keep[:, step] * state + added[:, step]
        states.append(state)
    return torch.stack(states, dim=1)


def recurrence(steps: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """What is kept, what is added and a first state, all of which ask for gradients."""
    parts = torch.rand(B, steps, H), torch.randn(B, steps, H), torch.randn(B, H)
    keep, added, initial = (part.to(dtype).requires_grad_() for part in parts)
    return keep, added, initial


@pytest.mark.parametrize("steps", LENGTHS)
def test_a_sequence_is_its_steps_by_hand(steps: int) -> None:
    """h = (1 - z) h + z c; states, contents and the first state may be negative."""
    cell = MinGru(F, H).double()
    inputs, state = torch.randn(B, steps, F).double(), -torch.rand(B, H).double()
    outputs, after = cell(inputs, state)
    (gate_weight, content_weight), (gate_bias, content_bias) = cell.weight.split(H), cell.bias.split(H)
    for step in range(steps):
        z = 1 / (1 + torch.exp(-(inputs[:, step] @ gate_weight.t() + gate_bias)))
        c = inputs[:, step] @ content_weight.t() + content_bias
        state = (1 - z) * state + z * c
        torch.testing.assert_close(outputs[:, step], state)
    torch.testing.assert_close(after, state)


@pytest.mark.parametrize("steps", LENGTHS)
def test_a_scan_and_its_gradients_are_those_of_a_loop(steps: int) -> None:
    parts = recurrence(steps)
    weights = torch.randn(B, steps, H).double()
    found, expected = scan(*parts), looped(*parts)
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad((states * weights).sum(), parts) for states in (found, expected))
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("steps", [1, 2, 3, 6, 11])
def test_gradients_are_those_of_small_differences(steps: int) -> None:
    assert gradcheck(scan, recurrence(steps))
    cell = MinGru(F, H).double()
    inputs, state = torch.randn(B, steps, F).double(), torch.randn(B, H).double()
    assert gradcheck(cell, (inputs.requires_grad_(), state.requires_grad_()))


def test_the_state_after_holds_no_more_than_itself() -> None:
    _, after = MinGru(F, H)(torch.randn(B, 9, F), torch.randn(B, H))
    assert after.untyped_storage().nbytes() == B * H * 4


def test_what_is_given_stays_as_it_is() -> None:
    parts = recurrence(9)
    kept = [part.detach().clone() for part in parts]
    gradient = torch.randn(B, 9, H).double()
    given = gradient.clone()
    scan(*parts).backward(gradient)
    assert all(torch.equal(part, other) for part, other in zip((*parts, gradient), (*kept, given), strict=True))


@pytest.mark.parametrize("extreme", [0.0, 1e-30, 1.0])
def test_gates_that_shut_or_never_open_are_harmless(extreme: float) -> None:
    """What a sequence as long as a minute of speech keeps may be all or nothing, now and then or always."""
    for always in (True, False):
        parts = recurrence(1500, torch.float32)
        with torch.no_grad():
            parts[0][(torch.rand(B, 1500, H) < 0.1) | always] = extreme
        states = scan(*parts)
        expected = looped(*(part.double() for part in parts))
        torch.testing.assert_close(states, expected.float(), atol=1e-4, rtol=1e-4)
        found, wanted = (torch.autograd.grad(every.sum(), parts) for every in (states, expected))
        torch.testing.assert_close(found, wanted, atol=1e-2, rtol=1e-3)


def test_states_stay_within_the_first_one_and_the_contents() -> None:
    cell, inputs, state = MinGru(F, H), 50 * torch.randn(B, 300, F), torch.randn(B, H)
    contents = inputs @ cell.weight[H:].t() + cell.bias[H:]
    every = torch.cat([state.unsqueeze(1), contents], dim=1)
    outputs, _ = cell(inputs, state)
    assert (outputs <= every.amax(1, keepdim=True) + 1e-3).all()
    assert (outputs >= every.amin(1, keepdim=True) - 1e-3).all()


@pytest.mark.parametrize("steps", [1, 5, 16, 33])
def test_steps_that_follow_change_no_bit_of_those_before(steps: int) -> None:
    keep, added, initial = recurrence(70, torch.float32)
    assert torch.equal(scan(keep[:, :steps], added[:, :steps], initial), scan(keep, added, initial)[:, :steps])


def test_a_row_does_not_depend_on_the_others() -> None:
    keep, added, initial = recurrence(37, torch.float32)
    for row in range(B):
        one = slice(row, row + 1)
        assert torch.equal(scan(keep[one], added[one], initial[one]), scan(keep, added, initial)[one])


def test_a_padded_batch_gives_what_each_segment_gives_alone() -> None:
    encoder = Encoder("min-gru", F, H, 3, 0.0, 0.0).eval()
    lengths = torch.tensor([3, 17, 1, 8])
    inputs = torch.randn(4, 23, F)
    encoded = encoder(inputs, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = encoder(inputs[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(encoded.values[row, :length], alone.values[0])
        torch.testing.assert_close(encoded.last[row], alone.last[0])


def test_products_of_bfloat16_are_scanned_in_float32() -> None:
    layer = RecurrentLayer("min-gru", F, H)
    inputs, state = torch.randn(B, 40, F), torch.randn(B, H)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs, (after,) = layer(inputs, (state,))
        gate, content = torch.nn.functional.linear(inputs, *layer.weights()).chunk(2, dim=2)
    assert gate.dtype == torch.bfloat16
    gate, content = torch.sigmoid(gate.float()), content.float()
    torch.testing.assert_close(outputs, looped(1 - gate, gate * content, state))
    assert after.dtype == outputs.dtype == torch.float32
    outputs.sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in layer.parameters())


def test_a_cell_of_bfloat16_gives_what_it_takes() -> None:
    cell = MinGru(F, H).bfloat16()
    inputs, state = torch.randn(B, 40, F).bfloat16(), torch.randn(B, H).bfloat16()
    outputs, after = cell(inputs, state)
    assert after.dtype == outputs.dtype == torch.bfloat16
    torch.testing.assert_close(outputs.float(), cell.float()(inputs.float(), state.float())[0], atol=0.05, rtol=0.05)


def test_a_layer_has_as_many_weights_as_its_cell_has_products() -> None:
    """At an input of its own width, with torch's two biases where states have a matrix."""
    width = 12

    def count(cell: Cell) -> int:
        return sum(weight.numel() for weight in RecurrentLayer(cell, width, width).parameters())

    elman = 2 * width * width + 2 * width
    assert (count("elman"), count("gru"), count("lstm")) == (elman, 3 * elman, 4 * elman)
    assert count("elman-relu") == elman
    assert count("min-gru") == 2 * width * width + 2 * width
    assert sum(weight.numel() for weight in RecurrentLayer("min-gru", 7, 5).parameters()) == 2 * 5 * (7 + 1)
