"""Models that are asked one step at a time equal those that they come from, as near as their products are."""

from functools import partial
from typing import get_args

import pytest
import torch
from torch import nn

from s2s.nn.dropout import LockedDropout
from s2s.nn.output import Output
from s2s.nn.products import PackedLinear, QuantisedLinear
from s2s.nn.rnn import Cell, RecurrentLayer
from s2s.nn.stepping import MakeLinear, SteppingLayer, SteppingOutput, stepping, tanh

CELLS = get_args(Cell)
exactly = partial(torch.testing.assert_close, atol=2e-6, rtol=1e-5)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(1)


@pytest.mark.parametrize("steps", [1, 12])
@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_and_its_state_are_those_of_the_layer(cell: Cell, steps: int) -> None:
    layer = RecurrentLayer(cell, 21, 16).eval()
    inputs, state = torch.randn(4, steps, 21), tuple(torch.rand(4, 16) - 0.5 for _ in range(layer.state_parts))
    with torch.inference_mode():
        expected, after = layer(inputs, state)
        outputs, found = SteppingLayer(layer, PackedLinear)(inputs, state)
    exactly(outputs, expected)
    exactly(found, after)


def test_the_state_before_is_left_as_it_is() -> None:
    for cell in CELLS:
        layer = SteppingLayer(RecurrentLayer(cell, 5, 4), PackedLinear)
        state = tuple(torch.rand(3, 4) for _ in range(2 if cell == "lstm" else 1))
        kept = tuple(part.clone() for part in state)
        with torch.inference_mode():
            layer(torch.randn(3, 1, 5), state)
        assert all(torch.equal(part, other) for part, other in zip(state, kept, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_of_eight_bits_is_near_that_of_the_layer(cell: Cell) -> None:
    layer = RecurrentLayer(cell, 64, 48).eval()
    inputs = torch.randn(3, 12, 64)
    with torch.inference_mode():
        expected, _ = layer(inputs)
        outputs, _ = SteppingLayer(layer, QuantisedLinear)(inputs, layer.zeros(inputs))
    assert (outputs - expected).abs().max() < 0.03
    assert (outputs - expected).abs().max() > 0


@pytest.mark.parametrize(("make_linear", "tolerance"), [(PackedLinear, 1e-5), (QuantisedLinear, 0.02)])
def test_the_output_layer_is_near_its_own(make_linear: MakeLinear, tolerance: float) -> None:
    output = Output(24, nn.Embedding(90, 16), 0.0).eval()
    features = torch.randn(4, 1, 24)
    found = SteppingOutput(output, make_linear)
    with torch.inference_mode():
        logits, expected = found(found.narrow(features)), output(output.narrow(features))
    assert logits.shape == expected.shape == (4, 1, 90)
    assert (logits - expected).abs().max() < tolerance * expected.abs().max()


def test_every_layer_of_a_module_is_replaced_and_the_rest_stays() -> None:
    dropout, norm = LockedDropout(0.1), nn.LayerNorm(8)
    module = nn.Sequential(dropout, nn.Linear(8, 8), nn.ModuleList([RecurrentLayer("gru", 8, 8), norm]))
    found = list(stepping(module, QuantisedLinear).modules())
    assert sum(isinstance(one, QuantisedLinear) for one in found) == 3
    assert sum(isinstance(one, SteppingLayer) for one in found) == 1
    assert not any(isinstance(one, (nn.Linear, RecurrentLayer)) for one in found)
    assert any(one is dropout for one in found)
    assert any(one is norm for one in found)


def test_tanh_is_that_of_torch() -> None:
    values = torch.linspace(-30, 30, 10_001)
    torch.testing.assert_close(tanh(values), torch.tanh(values), atol=2e-7, rtol=0)
