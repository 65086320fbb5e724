"""Frontends by hand and against torch's own layers; padding never reaches a result."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from s2s.nn.encoder import BidirectionalLayer
from s2s.nn.frontends import ConvolutionFrontend, Frontend, PyramidFrontend, TextFrontend

F, E = 10, 12
KINDS = ["text", "convolution", "pyramid"]


def frontend(kind: str) -> Frontend:
    """One of each kind with random weights, not in training."""
    torch.manual_seed(0)
    if kind == "text":
        return TextFrontend(nn.Embedding(50, E), dropout=0.5, word_dropout=0.5).eval()
    if kind == "convolution":
        return ConvolutionFrontend(F, channels=3, width=E, dropout=0.5).eval()
    return PyramidFrontend(F, "lstm", E, dropout=0.5, weight_dropout=0.5).eval()


def sources(kind: str, lengths: list[int], extra: int = 0) -> Tensor:
    """Random sources; what stands in the padding is random too."""
    torch.manual_seed(1)
    shape = (len(lengths), max(lengths) + extra)
    return torch.randint(0, 50, shape) if kind == "text" else torch.randn(*shape, F) * 3


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(lengths=st.lists(st.integers(1, 23), min_size=1, max_size=5), extra=st.integers(0, 5))
def test_a_segment_gives_the_same_alone_and_in_any_batch(kind: str, lengths: list[int], extra: int) -> None:
    made = frontend(kind)
    batch = sources(kind, lengths, extra)
    vectors, left = made(batch, torch.tensor(lengths))
    assert vectors.shape == (len(lengths), made.reduce(max(lengths) + extra), made.width)
    assert left.tolist() == [made.reduce(length) for length in lengths]
    for row, length in enumerate(lengths):
        alone, (steps,) = made(batch[row : row + 1, :length], torch.tensor([length]))
        assert len(alone[0]) == steps == left[row]
        torch.testing.assert_close(vectors[row, :steps], alone[0], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", ["convolution", "pyramid"])
def test_not_even_numbers_that_are_none_get_out_of_the_padding(kind: str) -> None:
    lengths = torch.tensor([9, 2, 5])
    batch = sources(kind, lengths.tolist())
    beyond = (torch.arange(9) >= lengths.unsqueeze(1)).unsqueeze(2)
    made = frontend(kind)
    vectors, left = made(batch.masked_fill(beyond, torch.nan), lengths)
    real = torch.arange(vectors.shape[1]) < left.unsqueeze(1)
    assert torch.equal(vectors[real], made(batch, lengths)[0][real])


@pytest.mark.parametrize("kind", ["convolution", "pyramid"])
def test_a_quarter_of_the_steps_is_left_rounded_up(kind: str) -> None:
    made, lengths = frontend(kind), torch.arange(1, 10)
    assert made.reduce(lengths).tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert [made.reduce(length) for length in range(1, 10)] == [1, 1, 1, 1, 2, 2, 2, 2, 3]


def test_text_keeps_its_length() -> None:
    made = frontend("text")
    assert made.reduce(7) == 7
    assert made.reduce(torch.tensor([3, 1])).tolist() == [3, 1]


def test_convolutions_by_hand() -> None:
    """Each output is the sum over three steps and three bands around it, which exist or count as zero."""
    made = frontend("convolution")
    assert isinstance(made, ConvolutionFrontend)
    frames = sources("convolution", [7])
    planes = frames
    for convolution in made.convolutions:
        assert isinstance(convolution, nn.Conv2d)
        steps, bands = planes.shape[1:]
        outputs = torch.zeros(3, (steps + 1) // 2, (bands + 1) // 2)
        for step, band in torch.cartesian_prod(*(torch.arange(size) for size in outputs.shape[1:])).tolist():
            total = convolution.bias.clone() if convolution.bias is not None else torch.zeros(3)
            for near, by in torch.cartesian_prod(torch.arange(3), torch.arange(3)).tolist():
                at, of = 2 * step + near - 1, 2 * band + by - 1
                if 0 <= at < steps and 0 <= of < bands:
                    total += convolution.weight[:, :, near, by] @ planes[:, at, of]
            outputs[:, step, band] = total.clamp(min=0)
        planes = outputs
    expected = torch.stack([made.project(planes[:, step].flatten()) for step in range(planes.shape[1])])
    torch.testing.assert_close(made(frames, torch.tensor([7]))[0][0], expected)


def packed(layer: BidirectionalLayer, inputs: Tensor, lengths: Tensor) -> Tensor:
    """What torch's bidirectional LSTM with the same weights makes of segments without their padding."""
    other = nn.LSTM(inputs.shape[2], E // 2, batch_first=True, bidirectional=True)
    back = {f"{name}_reverse": weight for name, weight in layer.back.rnn.state_dict().items()}
    other.load_state_dict({**layer.ahead.rnn.state_dict(), **back})
    outputs, _ = other(pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False))
    padded: Tensor = pad_packed_sequence(outputs, batch_first=True)[0]
    return padded


def test_the_pyramid_is_torchs_layers_over_pairs_of_steps() -> None:
    made = frontend("pyramid")
    assert isinstance(made, PyramidFrontend)
    lengths = torch.tensor([7, 3, 8])
    batch = sources("pyramid", lengths.tolist())
    hidden = batch.masked_fill((torch.arange(8) >= lengths.unsqueeze(1)).unsqueeze(2), 0.0)
    for layer, left in zip(made.layers, ([4, 2, 4], [2, 1, 2]), strict=True):
        assert isinstance(layer, BidirectionalLayer)
        pairs = torch.cat([hidden[:, 0::2], hidden[:, 1::2]], dim=2)
        mask = (torch.arange(pairs.shape[1]) < torch.tensor(left).unsqueeze(1)).unsqueeze(2)
        hidden = nn.functional.layer_norm(packed(layer, pairs, torch.tensor(left)), (E,)) * mask
    vectors, left_over = made(batch, lengths)
    assert left_over.tolist() == [2, 1, 2]
    torch.testing.assert_close(vectors * mask, hidden)


@pytest.mark.parametrize("kind", ["convolution", "pyramid"])
def test_dropout_takes_the_same_features_at_all_steps_in_training_only(kind: str) -> None:
    made = frontend(kind)
    assert isinstance(made, nn.Module)
    batch, lengths = sources(kind, [40, 40, 40]), torch.tensor([40] * 3)
    assert (made(batch, lengths)[0] != 0).all()
    dropped = made.train()(batch, lengths)[0] == 0
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert 0 < int(dropped[:, 0].sum()) < dropped[:, 0].numel()


@pytest.mark.parametrize("kind", ["convolution", "pyramid"])
def test_every_weight_learns(kind: str) -> None:
    made = frontend(kind)
    assert isinstance(made, nn.Module)
    made(sources(kind, [9, 4]), torch.tensor([9, 4]))[0].square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in made.parameters())


def test_both_directions_of_the_pyramid_are_equally_wide() -> None:
    with pytest.raises(AssertionError, match="equally wide"):
        PyramidFrontend(F, "gru", 7, 0.0, 0.0)


def test_text_is_scaled_to_unit_variance() -> None:
    torch.manual_seed(0)
    embedding = nn.Embedding(50, 64)
    made = TextFrontend(embedding, dropout=0.5, word_dropout=0.5).eval()
    tokens = torch.randint(0, 50, (3, 7))
    torch.testing.assert_close(made.embed(tokens), embedding.weight[tokens] * 8)
    vectors, lengths = made(tokens, torch.tensor([7, 2, 5]))
    assert torch.equal(vectors, made.embed(tokens))
    assert lengths.tolist() == [7, 2, 5]
    assert made.width == 64


def test_text_loses_words_and_features_in_training() -> None:
    torch.manual_seed(0)
    embedding = nn.Embedding(50, 64)
    vectors = TextFrontend(embedding, dropout=0.5, word_dropout=0.5).embed(torch.randint(0, 50, (8, 20)))
    words = (vectors == 0).all(2)
    assert 0.3 < words.float().mean().item() < 0.7
    for row, dropped in zip(vectors, words, strict=True):
        features = row[~dropped] == 0
        assert torch.equal(features, features[:1].expand_as(features))
        assert 0 < int(features[0].sum()) < 64
