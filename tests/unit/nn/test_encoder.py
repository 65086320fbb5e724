"""The bidirectional stack against torch's own over packed sequences; padding never reaches a result."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from s2s.nn.encoder import BidirectionalLayer, Encoder, mirror_rows, reverse
from s2s.nn.rnn import Cell

TORCH: list[Cell] = ["lstm", "gru", "elman", "elman-relu"]
CELLS: list[Cell] = [*TORCH, "min-gru"]
F, H = 5, 4
LENGTHS = torch.tensor([3, 7, 1, 5])


def torch_layer(kind: Cell, layer: BidirectionalLayer) -> nn.RNNBase:
    """torch's bidirectional layer with the same weights."""
    if kind == "lstm":
        other: nn.RNNBase = nn.LSTM(F, H, batch_first=True, bidirectional=True)
    elif kind == "gru":
        other = nn.GRU(F, H, batch_first=True, bidirectional=True)
    else:
        nonlinearity = "relu" if kind == "elman-relu" else "tanh"
        other = nn.RNN(F, H, batch_first=True, bidirectional=True, nonlinearity=nonlinearity)
    weights = layer.ahead.rnn.state_dict()
    back = {f"{name}_reverse": weight for name, weight in layer.back.rnn.state_dict().items()}
    other.load_state_dict({**weights, **back})
    return other


def packed(layer: nn.RNNBase, inputs: Tensor) -> Tensor:
    """What torch makes of the segments without their padding; zeros beyond their ends."""
    packing = pack_padded_sequence(inputs, LENGTHS, batch_first=True, enforce_sorted=False)
    outputs: Tensor = pad_packed_sequence(layer(packing)[0], batch_first=True)[0]
    return outputs


@pytest.mark.parametrize("kind", TORCH)
def test_a_bidirectional_layer_is_torchs_over_packed_sequences(kind: Cell) -> None:
    torch.manual_seed(0)
    layer = BidirectionalLayer(kind, F, H, weight_dropout=0.0)
    inputs = torch.randn(4, 7, F)
    expected = packed(torch_layer(kind, layer), inputs)
    real = torch.arange(7) < LENGTHS.unsqueeze(1)
    torch.testing.assert_close(layer(inputs, mirror_rows(LENGTHS, 7))[real], expected[real])


def test_segments_are_reversed_within_their_length() -> None:
    rows = torch.tensor([[1, 2, 3, 0], [4, 0, 0, 0], [5, 6, 7, 8]]).unsqueeze(2)
    found = reverse(rows, mirror_rows(torch.tensor([3, 1, 4]), 4)).squeeze(2)
    assert found.tolist() == [[3, 2, 1, 0], [4, 0, 0, 0], [8, 7, 6, 5]]


def test_layers_above_the_first_are_residual_with_norms_between() -> None:
    torch.manual_seed(0)
    encoder = Encoder("gru", F, H, layers=3, dropout=0.5, weight_dropout=0.0).eval()
    inputs = torch.randn(4, 7, F)
    mirror = mirror_rows(LENGTHS, 7)
    hidden = encoder.layers[0](inputs, mirror)
    for number in (1, 2):
        normal = nn.functional.layer_norm(hidden, (2 * H,))
        hidden = hidden + encoder.layers[number](normal, mirror)
    expected = nn.functional.layer_norm(hidden, (2 * H,))
    encoded = encoder(inputs, LENGTHS)
    real = encoded.mask
    torch.testing.assert_close(encoded.values[real], expected[real])
    assert real.tolist() == [[step < length for step in range(7)] for length in LENGTHS.tolist()]


def test_last_joins_the_two_ends() -> None:
    torch.manual_seed(0)
    encoder = Encoder("lstm", F, H, layers=2, dropout=0.0, weight_dropout=0.0)
    encoded = encoder(torch.randn(4, 7, F), LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        ends = torch.cat([encoded.values[row, length - 1, :H], encoded.values[row, 0, H:]])
        torch.testing.assert_close(encoded.last[row], ends)


@pytest.mark.parametrize("kind", CELLS)
def test_what_stands_in_the_padding_changes_nothing(kind: Cell) -> None:
    torch.manual_seed(0)
    encoder = Encoder(kind, F, H, 2, 0.5, 0.5).eval()
    inputs = torch.randn(4, 9, F)
    other = inputs.masked_fill((torch.arange(9) >= LENGTHS.unsqueeze(1)).unsqueeze(2), 1e4)
    first, second = encoder(inputs, LENGTHS), encoder(other, LENGTHS)
    assert torch.equal(first.values, second.values)
    assert torch.equal(first.last, second.last)
    assert not first.values[~first.mask].any()


def test_a_state_that_overflows_in_the_padding_is_harmless() -> None:
    torch.manual_seed(0)
    encoder = Encoder("elman-relu", F, H, layers=2, dropout=0.0, weight_dropout=0.0).eval()
    with torch.no_grad():
        for layer in encoder.layers:
            assert isinstance(layer, BidirectionalLayer)
            layer.ahead.rnn.get_parameter("weight_hh_l0").copy_(torch.eye(H) * 3)
    inputs = torch.rand(4, 100, F)
    assert not encoder.layers[0](inputs, mirror_rows(LENGTHS, 100)).isfinite().all()
    encoded = encoder(inputs, LENGTHS)
    assert encoded.values.isfinite().all()
    assert torch.equal(encoded.values[:, :7], encoder(inputs[:, :7], LENGTHS).values)
