"""Layers of eight bits: exact on what eight bits can hold, near the layers that they come from, row by row."""

from typing import get_args

import pytest
import torch
from torch import Tensor, nn

from s2s.nn.dropout import LockedDropout
from s2s.nn.output import Output
from s2s.nn.quantised import (
    QuantisedLinear,
    QuantisedOutput,
    QuantisedRecurrentLayer,
    quantise,
    quantised,
    tanh,
)
from s2s.nn.rnn import Cell, RecurrentLayer


def in_eight_bits(*shape: int, unit: float = 0.01) -> Tensor:
    """Whole numbers of units, of which each row has the largest that eight bits can hold."""
    numbers = torch.randint(-127, 128, shape)
    numbers[..., 0] = 127
    return numbers * unit


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(1)


def test_rows_by_hand() -> None:
    whole, scale = quantise(torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [300.0, 1.0, -254.0]]))
    assert whole.tolist() == [[64, -127, 32], [0, 0, 0], [127, 0, -108]]
    assert scale[0].item() == pytest.approx(2 / 127)
    assert scale[2].item() == pytest.approx(300 / 127)


def test_what_eight_bits_hold_is_multiplied_exactly() -> None:
    linear = nn.Linear(37, 19)
    linear.weight.data = in_eight_bits(19, 37)
    inputs = in_eight_bits(5, 3, 37, unit=0.03)
    expected = nn.functional.linear(inputs.double(), linear.weight.double(), linear.bias.double()).float()
    torch.testing.assert_close(QuantisedLinear(linear.weight, linear.bias)(inputs), expected)
    torch.testing.assert_close(QuantisedLinear(linear.weight, None)(inputs), expected - linear.bias)


@pytest.mark.parametrize("cell", get_args(Cell))
def test_a_step_from_what_eight_bits_hold_is_exact(cell: Cell) -> None:
    layer = RecurrentLayer(cell, 21, 16).eval()
    for weights in layer.weights()[:2]:
        weights.data = in_eight_bits(*weights.shape, unit=0.002)
    inputs, state = in_eight_bits(4, 1, 21), tuple(in_eight_bits(4, 16, unit=1 / 127) for _ in range(layer.state_parts))
    with torch.inference_mode():
        expected, after = layer(inputs, state)
        outputs, found = QuantisedRecurrentLayer(layer)(inputs, state)
    torch.testing.assert_close(outputs, expected, atol=2e-6, rtol=1e-5)
    for part, other in zip(found, after, strict=True):
        torch.testing.assert_close(part, other, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("cell", get_args(Cell))
def test_a_sequence_is_near_that_of_the_layer(cell: Cell) -> None:
    layer = RecurrentLayer(cell, 64, 48).eval()
    inputs = torch.randn(3, 12, 64)
    with torch.inference_mode():
        expected, _ = layer(inputs)
        outputs, _ = QuantisedRecurrentLayer(layer)(inputs, layer.zeros(inputs))
    assert (outputs - expected).abs().max() < 0.03
    assert (outputs - expected).abs().max() > 0


def test_a_row_does_not_depend_on_the_others() -> None:
    """Not even on one a thousand times as large, whose scale it would share if there were one for all."""
    linear = QuantisedLinear(torch.randn(50, 30), torch.randn(50))
    rows = torch.randn(7, 30)
    rows[3] *= 1000
    together = linear(rows)
    for number in range(7):
        assert torch.equal(linear(rows[number : number + 1])[0], together[number])


def test_the_output_layer_is_near_its_own() -> None:
    output = Output(24, nn.Embedding(90, 16), 0.0).eval()
    features = torch.randn(4, 1, 24)
    found = QuantisedOutput(output)
    logits, expected = found(found.narrow(features)), output(output.narrow(features))
    assert logits.shape == expected.shape == (4, 1, 90)
    assert (logits - expected).abs().max() < 0.02 * expected.abs().max()


def test_every_layer_of_a_module_is_replaced_and_the_rest_stays() -> None:
    dropout, norm = LockedDropout(0.1), nn.LayerNorm(8)
    module = nn.Sequential(dropout, nn.Linear(8, 8), nn.ModuleList([RecurrentLayer("gru", 8, 8), norm]))
    found = list(quantised(module).modules())
    assert sum(isinstance(one, QuantisedLinear) for one in found) == 3
    assert sum(isinstance(one, QuantisedRecurrentLayer) for one in found) == 1
    assert not any(isinstance(one, (nn.Linear, RecurrentLayer)) for one in found)
    assert any(one is dropout for one in found)
    assert any(one is norm for one in found)


def test_tanh_is_that_of_torch() -> None:
    values = torch.linspace(-30, 30, 10_001)
    torch.testing.assert_close(tanh(values), torch.tanh(values), atol=2e-7, rtol=0)
