"""Attention that knows where it looked, one place at a time, and in the decoder that tells it."""

from dataclasses import replace

import torch
from torch import Tensor

from s2s.nn.attention import AdditiveAttention
from s2s.nn.decoder import DecoderState, InputFeedingDecoder, Memory
from s2s.nn.location_attention import FILTERS, REACH, LocationAwareAttention

B, S, D, H, A, E = 3, 40, 8, 6, 5, 4
LENGTHS = [40, 1, 22]
MASK = torch.arange(S) < torch.tensor(LENGTHS).unsqueeze(1)


def attention() -> LocationAwareAttention:
    """With random weights."""
    torch.manual_seed(1)
    return LocationAwareAttention(H, D, A)


def drawn() -> tuple[Tensor, Tensor, Tensor]:
    """One query of each segment, a memory and weights of a step before, which are zero in the padding."""
    torch.manual_seed(2)
    previous = torch.softmax(torch.randn(B, S).masked_fill(~MASK, -torch.inf) * 3, dim=1).unsqueeze(1)
    return torch.randn(B, 1, H), torch.randn(B, S, D), previous


def test_scores_are_those_of_the_formula() -> None:
    made = attention()
    queries, memory, previous = drawn()
    contexts, weights = made(queries, *made.prepare(memory), MASK, previous)
    filters = made.filters.weight[:, 0]
    assert filters.shape == (FILTERS, 2 * REACH + 1)
    for b, length in enumerate(LENGTHS):
        scores = []
        for s in range(length):
            seen = [
                previous[b, 0, at].item() if 0 <= (at := s + offset) < length else 0.0
                for offset in range(-REACH, REACH + 1)
            ]
            places = filters @ torch.tensor(seen)
            key = made.key.weight @ memory[b, s] + made.key.bias
            energy = torch.tanh(made.query.weight @ queries[b, 0] + key + made.place.weight @ places)
            scores.append(made.score.weight[0].dot(energy))
        expected = torch.softmax(torch.stack(scores), dim=0)
        torch.testing.assert_close(weights[b, 0, :length], expected)
        torch.testing.assert_close(contexts[b, 0], expected @ memory[b, :length])
        assert not weights[b, 0, length:].any()


def test_before_the_first_step_it_is_additive_attention() -> None:
    """No weights and weights of zero are the same."""
    made = attention()
    additive = AdditiveAttention(H, D, A)
    additive.load_state_dict({name: made.state_dict()[name] for name in additive.state_dict()})
    queries, memory, _ = drawn()
    expected = additive(queries, *additive.prepare(memory), MASK)
    torch.testing.assert_close(made(queries, *made.prepare(memory), MASK), expected)
    torch.testing.assert_close(made(queries, *made.prepare(memory), MASK, torch.zeros(B, 1, S)), expected)


def test_what_stands_in_the_padding_and_how_much_of_it_change_nothing() -> None:
    made = attention()
    queries, memory, previous = drawn()
    other = memory.masked_fill(~MASK.unsqueeze(2), 1e4)
    contexts, weights = made(queries, *made.prepare(memory), MASK, previous)
    assert torch.equal(made(queries, *made.prepare(other), MASK, previous)[1], weights)
    alone = slice(2, 3), slice(0, 22)
    found = made(queries[2:], *made.prepare(memory[alone]), MASK[alone], previous[2:, :, :22])
    torch.testing.assert_close(found[0][0], contexts[2])
    torch.testing.assert_close(found[1][0], weights[2, :, :22])


def test_each_query_has_its_own_weights_of_the_step_before() -> None:
    made = attention()
    queries, memory, previous = drawn()
    both = torch.cat([queries, queries], dim=1), torch.cat([previous, previous.flip(2)], dim=1)
    contexts, weights = made(both[0], *made.prepare(memory), MASK, both[1])
    for row in (0, 1):
        expected = made(queries, *made.prepare(memory), MASK, both[1][:, row : row + 1])
        torch.testing.assert_close((contexts[:, row : row + 1], weights[:, row : row + 1]), expected)


def decoder() -> InputFeedingDecoder:
    """A decoder with this attention, not in training, that minds places and looks at few at once."""
    torch.manual_seed(0)
    attention = LocationAwareAttention(H, D, A)
    with torch.no_grad():
        attention.score.weight.mul_(8)
        attention.place.weight.mul_(8)
    return InputFeedingDecoder("gru", E, H, 2, attention, 0.5, 0.5).eval()


def attention_of(made: InputFeedingDecoder) -> LocationAwareAttention:
    """Its attention."""
    assert isinstance(made.attention, LocationAwareAttention)
    return made.attention


def start(made: InputFeedingDecoder) -> DecoderState:
    """The state before the first step."""
    torch.manual_seed(3)
    keys, values = made.attention.prepare(torch.randn(B, S, D))
    return made.start(Memory(keys, values, MASK, tuple((torch.rand(B, H),) for _ in range(2))))


def test_the_decoder_tells_it_the_weights_of_the_step_before() -> None:
    """Asked again with the weights that the decoder returned, it gives those of the next step."""
    made = decoder()
    calls: list[tuple[Tensor, ...]] = []
    attention_of(made).register_forward_pre_hook(lambda _, given: calls.append(given))
    torch.manual_seed(4)
    _, weights, after = made(torch.randn(B, 3, E), start(made))
    assert [given[4] is None for given in calls] == [True, False, False]
    for step in (1, 2):
        torch.testing.assert_close(calls[step][4][:, 0], weights[:, step - 1])
    assert after.attention is not None
    torch.testing.assert_close(after.attention, weights[:, 2])


def test_places_make_a_difference_that_a_reordered_state_takes_along() -> None:
    made = decoder()
    torch.manual_seed(4)
    inputs = torch.randn(B, 3, E)
    _, weights, _ = made(inputs, start(made))
    _, _, state = made(inputs[:, :2], start(made))
    rows = torch.tensor([2, 0, 0])
    _, moved, _ = made(inputs[rows, 2:], state.reorder(rows))
    torch.testing.assert_close(moved[:, 0], weights[rows, 2])
    blind = replace(state, attention=None)
    assert not torch.allclose(made(inputs[:, 2:], blind)[1][0, 0], weights[0, 2], atol=1e-3)


def test_gradients_reach_all_weights_through_the_steps() -> None:
    made = decoder()
    torch.manual_seed(4)
    made(torch.randn(B, 3, E), start(made))[0].square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in attention_of(made).parameters())
