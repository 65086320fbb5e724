"""Both decoders by hand, at once against step by step, and states that are reordered."""

import pytest
import torch
from torch import Tensor, nn

from s2s.nn.attention import GeneralAttention
from s2s.nn.decoder import DecoderState, InputFeedingDecoder, Memory, ParallelDecoder
from s2s.nn.rnn import Cell

CELLS: list[Cell] = ["lstm", "gru", "elman", "elman-relu", "min-gru"]
B, S, T, D, E, H = 3, 5, 6, 7, 4, 8
MASK = torch.arange(S) < torch.tensor([5, 1, 3]).unsqueeze(1)

Decoder = ParallelDecoder | InputFeedingDecoder


def decoder(kind: type[Decoder], cell: Cell, layers: int = 3) -> Decoder:
    """A decoder that does not drop anything, since it is not in training."""
    torch.manual_seed(0)
    return kind(cell, E, H, layers, GeneralAttention(H, D), 0.5, 0.5).eval()


def memory(made: Decoder) -> Memory:
    """Random values with random first states."""
    torch.manual_seed(1)
    keys, values = made.attention.prepare(torch.randn(B, S, D))
    parts = made.layers[0].state_parts
    assert isinstance(parts, int)
    return Memory(keys, values, MASK, tuple(tuple(torch.rand(B, H) for _ in range(parts)) for _ in made.layers))


def start(made: Decoder) -> DecoderState:
    """The state before the first step."""
    return made.start(memory(made))


def embedded() -> Tensor:
    """Target inputs."""
    torch.manual_seed(2)
    return torch.randn(B, T, E)


def norm(hidden: Tensor) -> Tensor:
    """Layer norm as it is initially."""
    return nn.functional.layer_norm(hidden, (H,))


def test_the_parallel_decoder_by_hand() -> None:
    """Attention asks with the first layer's output; its context enters each later layer and the features."""
    made = decoder(ParallelDecoder, "lstm")
    state, inputs = start(made), embedded()
    hidden = made.layers[0](inputs, state.layers[0])[0]
    context, weights = made.attention(norm(hidden), state.memory.keys, state.memory.values, MASK)
    for number in (1, 2):
        joined = torch.cat([norm(hidden), context], dim=2)
        hidden = hidden + made.layers[number](joined, state.layers[number])[0]
    features, attention, _ = made(inputs, state)
    torch.testing.assert_close(features, torch.cat([norm(hidden), context, inputs], dim=2))
    torch.testing.assert_close(attention, weights)
    assert features.shape[2] == made.feature_width


def test_input_feeding_by_hand() -> None:
    """Each step reads the context of the step before, zeros at first; attention asks with the top layer."""
    made = decoder(InputFeedingDecoder, "gru", layers=2)
    state, inputs = start(made), embedded()
    (lower,), (upper,) = state.layers
    context = torch.zeros(B, 1, D)
    features, attention, _ = made(inputs, state)
    for t in range(T):
        below, (lower,) = made.layers[0](torch.cat([inputs[:, t : t + 1], context], dim=2), (lower,))
        above, (upper,) = made.layers[1](norm(below), (upper,))
        query = norm(below + above)
        context, weights = made.attention(query, state.memory.keys, state.memory.values, MASK)
        torch.testing.assert_close(features[:, t], torch.cat([query, context, inputs[:, t : t + 1]], dim=2)[:, 0])
        torch.testing.assert_close(attention[:, t], weights[:, 0])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", [ParallelDecoder, InputFeedingDecoder])
def test_step_by_step_equals_the_whole_target(kind: type[Decoder], cell: Cell) -> None:
    made = decoder(kind, cell)
    state, inputs = start(made), embedded()
    features, attention, after = made(inputs, state)
    for t in range(T):
        feature, weight, state = made(inputs[:, t : t + 1], state)
        torch.testing.assert_close(feature[:, 0], features[:, t])
        torch.testing.assert_close(weight[:, 0], attention[:, t])
        assert state.attention is not None
        torch.testing.assert_close(state.attention, attention[:, t])
    torch.testing.assert_close(state.layers, after.layers)


@pytest.mark.parametrize("cell", ["lstm", "gru", "min-gru"])
@pytest.mark.parametrize("kind", [ParallelDecoder, InputFeedingDecoder])
@pytest.mark.parametrize("index", [[0, 1, 2], [2, 0, 0, 1, 2], [1], [0, 0, 2, 2], [0, 1], [2, 1, 0]])
def test_a_reordered_state_goes_on_as_its_rows_would_have(kind: type[Decoder], cell: Cell, index: list[int]) -> None:
    made = decoder(kind, cell)
    inputs = embedded()
    _, _, state = made(inputs[:, :2], start(made))
    rows = torch.tensor(index)
    moved = state.reorder(rows)
    _, _, moved = made(inputs[rows, 2:3], moved)
    back = torch.arange(len(index)).flip(0)
    rows, moved = rows[back], moved.reorder(back)
    expected, weights, _ = made(inputs[:, 2:], state)
    for t in range(3, T):
        feature, weight, moved = made(inputs[rows, t : t + 1], moved)
        torch.testing.assert_close(feature[:, 0], expected[rows, t - 2])
        torch.testing.assert_close(weight[:, 0], weights[rows, t - 2])


def test_several_steps_at_once_are_for_rows_that_were_not_reordered() -> None:
    """A grid has one query for each row: the others would be lost."""
    made = decoder(ParallelDecoder, "lstm")
    moved = start(made).reorder(torch.tensor([0, 0, 1, 2]))
    with pytest.raises(AssertionError, match="several steps at once"):
        made(embedded()[[0, 0, 1, 2]], moved)


@pytest.mark.parametrize("kind", [ParallelDecoder, InputFeedingDecoder])
def test_a_state_is_not_changed_by_a_step(kind: type[Decoder]) -> None:
    made = decoder(kind, "lstm")
    state = start(made)
    first = made(embedded(), state)[0]
    assert torch.equal(made(embedded(), state)[0], first)
