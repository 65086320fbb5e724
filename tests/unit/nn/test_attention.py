"""Each kind of attention against its formula, one query and one source position at a time."""

import math

import pytest
import torch
from torch import Tensor, nn

from s2s.nn.attention import AdditiveAttention, Attention, DotAttention, GeneralAttention, MultiHeadAttention

B, T, S, D, A = 3, 4, 6, 8, 6
LENGTHS = [6, 1, 4]
MASK = torch.arange(S) < torch.tensor(LENGTHS).unsqueeze(1)


def kinds(query_width: int) -> dict[str, Attention]:
    """All kinds, for queries of a width."""
    torch.manual_seed(1)
    return {
        "dot": DotAttention(D),
        "general": GeneralAttention(query_width, D),
        "additive": AdditiveAttention(query_width, D, A),
        "multi-head": MultiHeadAttention(query_width, D, A, heads=2),
    }


NAMES = ["dot", "general", "additive", "multi-head"]


def run(attention: Attention, queries: Tensor, memory: Tensor, mask: Tensor = MASK) -> tuple[Tensor, Tensor]:
    """Contexts and weights."""
    return attention(queries, *attention.prepare(memory), mask)


def drawn(query_width: int = D) -> tuple[Tensor, Tensor]:
    """Queries and memory."""
    torch.manual_seed(2)
    return torch.randn(B, T, query_width), torch.randn(B, S, D)


def formula(attention: Attention, query: Tensor, entry: Tensor) -> Tensor:
    """The score of one query (H) and one position of the memory (D), for the kinds with one head."""
    if isinstance(attention, DotAttention):
        return query.dot(entry)
    if isinstance(attention, GeneralAttention):
        return query.dot(attention.key.weight @ entry)
    assert isinstance(attention, AdditiveAttention)
    energy = torch.tanh(attention.query.weight @ query + attention.key.weight @ entry + attention.key.bias)
    return attention.score.weight[0].dot(energy)


@pytest.mark.parametrize("name", ["dot", "general", "additive"])
def test_contexts_are_sums_of_the_memory_weighted_by_the_formula(name: str) -> None:
    queries, memory = drawn()
    attention = kinds(D)[name]
    contexts, weights = run(attention, queries, memory)
    for b, length in enumerate(LENGTHS):
        for t in range(T):
            scores = torch.stack([formula(attention, queries[b, t], memory[b, s]) for s in range(length)])
            expected = scores.exp() / scores.exp().sum()
            torch.testing.assert_close(weights[b, t, :length], expected)
            torch.testing.assert_close(contexts[b, t], (expected.unsqueeze(1) * memory[b, :length]).sum(0))


def test_multi_head_is_scaled_dot_product_in_each_subspace() -> None:
    queries, memory = drawn(query_width=5)
    attention = kinds(5)["multi-head"]
    assert isinstance(attention, MultiHeadAttention)
    contexts, weights = run(attention, queries, memory)
    for b, length in enumerate(LENGTHS):
        heads = []
        for head in range(2):
            part = slice(3 * head, 3 * head + 3)
            query = queries[b] @ attention.query.weight[part].t() + attention.query.bias[part]
            key = memory[b, :length] @ attention.key.weight[part].t()
            value = memory[b, :length] @ attention.value.weight[part].t() + attention.value.bias[part]
            heads.append(torch.softmax(query @ key.t() / math.sqrt(3), dim=1))
            torch.testing.assert_close(contexts[b, :, part], heads[-1] @ value)
        torch.testing.assert_close(weights[b, :, :length], (heads[0] + heads[1]) / 2)


def test_multi_head_agrees_with_torchs_module() -> None:
    """With torch's output projection set to the identity."""
    torch.manual_seed(5)
    module = nn.MultiheadAttention(D, heads := 4, batch_first=True)
    attention = MultiHeadAttention(D, D, D, heads)
    with torch.no_grad():
        module.out_proj.weight.copy_(torch.eye(D))
        module.in_proj_bias.normal_()
        module.in_proj_bias[D : 2 * D] = 0
        parts = zip((attention.query, attention.key, attention.value), range(3), strict=True)
        for linear, number in parts:
            linear.weight.copy_(module.in_proj_weight[number * D : (number + 1) * D])
            if number != 1:
                linear.bias.copy_(module.in_proj_bias[number * D : (number + 1) * D])
    queries, memory = drawn()
    expected = module(queries, memory, memory, key_padding_mask=~MASK)
    torch.testing.assert_close(run(attention, queries, memory), expected)


@pytest.mark.parametrize("name", NAMES)
def test_weights_sum_to_one_and_are_exactly_zero_at_padding(name: str) -> None:
    queries, memory = drawn()
    _, weights = run(kinds(D)[name], queries * 3, memory)
    assert torch.equal(weights.masked_select(~MASK.unsqueeze(1).expand_as(weights)), torch.zeros(T * (5 + 2)))
    torch.testing.assert_close(weights.sum(2), torch.ones(B, T))


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_the_padding_changes_nothing(name: str) -> None:
    queries, memory = drawn()
    attention = kinds(D)[name]
    other = memory.masked_fill(~MASK.unsqueeze(2), 1e4)
    for mine, theirs in zip(run(attention, queries, memory), run(attention, queries, other), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", NAMES)
def test_all_queries_at_once_equal_one_after_the_other(name: str) -> None:
    queries, memory = drawn()
    attention = kinds(D)[name]
    together, _ = run(attention, queries, memory)
    assert together.shape == (B, T, attention.context_width)
    for t in range(T):
        torch.testing.assert_close(run(attention, queries[:, t : t + 1], memory)[0][:, 0], together[:, t])
