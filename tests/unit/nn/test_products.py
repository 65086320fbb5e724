"""Products for inference: packed ones equal torch's, those of eight bits are exact on what eight bits can hold."""

import pytest
import torch
from torch import Tensor, nn

from s2s.nn import products
from s2s.nn.products import PackedLinear, QuantisedLinear, has_onednn, multiply, quantise


def in_eight_bits(*shape: int, unit: float = 0.01) -> Tensor:
    """Whole numbers of units, of which each row has the largest that eight bits can hold."""
    numbers = torch.randint(-127, 128, shape)
    numbers[..., 0] = 127
    return numbers * unit


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(1)


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("rows", [1, 8, 9, 128, 129, 300])
def test_a_packed_product_is_that_of_torch(rows: int, packs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of rows is added to make another, and where torch has none, too."""
    monkeypatch.setattr(products, "has_onednn", lambda: packs and has_onednn())
    linear = nn.Linear(37, 19)
    inputs = torch.randn(rows, 2, 37)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(linear.weight, linear.bias)(inputs), linear(inputs))
        without = nn.functional.linear(inputs, linear.weight)
        torch.testing.assert_close(PackedLinear(linear.weight, None)(inputs), without)


def test_a_packed_product_keeps_its_weights_when_those_of_the_layer_change() -> None:
    linear = nn.Linear(37, 19)
    packed, inputs = PackedLinear(linear.weight, linear.bias), torch.randn(3, 37)
    with torch.inference_mode():
        expected = linear(inputs)
        linear.weight.zero_(), linear.bias.zero_()
        torch.testing.assert_close(packed(inputs), expected)


@pytest.mark.parametrize("make", [PackedLinear, QuantisedLinear])
@pytest.mark.parametrize("shape", [(0, 37), (2, 0, 37), (0, 2, 37)])
def test_no_rows_give_none(make: type[PackedLinear | QuantisedLinear], shape: tuple[int, ...]) -> None:
    assert make(torch.randn(19, 37), torch.randn(19))(torch.randn(shape)).shape == (*shape[:-1], 19)


def test_operands_may_have_strides() -> None:
    inputs, bias = torch.randn(37, 8).t(), torch.randn(38)[::2]
    for weight in (torch.randn(19, 37), torch.randn(37, 19).t(), torch.randn(19, 74)[:, ::2]):
        torch.testing.assert_close(multiply(inputs, weight, bias), nn.functional.linear(inputs, weight, bias))


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_no_gradient_is_lost(number: int, packs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "has_onednn", lambda: packs and has_onednn())
    given = [torch.randn(8, 37), torch.randn(19, 37), torch.randn(19)]
    given[number].requires_grad_()
    with pytest.raises(AssertionError, match="a gradient would be lost"):
        multiply(*given)
    with torch.no_grad():
        assert multiply(*given).shape == (8, 19)


def test_rows_by_hand() -> None:
    whole, scale = quantise(torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0], [300.0, 1.0, -254.0]]))
    assert whole.tolist() == [[64, -127, 32], [0, 0, 0], [127, 0, -108]]
    assert scale[0].item() == pytest.approx(2 / 127)
    assert scale[2].item() == pytest.approx(300 / 127)


@pytest.mark.parametrize("width", [1, 2, 37])
def test_what_eight_bits_hold_is_multiplied_exactly(width: int) -> None:
    linear = nn.Linear(width, 19)
    linear.weight.data = in_eight_bits(19, width)
    inputs = in_eight_bits(5, 3, width, unit=0.03)
    expected = nn.functional.linear(inputs.double(), linear.weight.double(), linear.bias.double()).float()
    torch.testing.assert_close(QuantisedLinear(linear.weight, linear.bias)(inputs), expected)
    torch.testing.assert_close(QuantisedLinear(linear.weight, None)(inputs), expected - linear.bias)


def test_a_row_does_not_depend_on_the_others() -> None:
    """Not even on one a thousand times as large, whose scale it would share if there were one for all."""
    linear = QuantisedLinear(torch.randn(50, 30), torch.randn(50))
    rows = torch.randn(7, 30)
    rows[3] *= 1000
    together = linear(rows)
    for number in range(7):
        assert torch.equal(linear(rows[number : number + 1])[0], together[number])
