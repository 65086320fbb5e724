"""CTC against brute force over all paths."""

import math
from itertools import groupby, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.nn.ctc import CtcHead, best_path, ctc_loss, steps_needed

BLANK = 0
LABELS = st.lists(st.integers(1, 3), max_size=4)


def drawn(batch: int, steps: int, seed: int) -> Tensor:
    """Logits (B, S, V) over three labels and the blank."""
    return torch.randn(batch, steps, 4, generator=torch.Generator().manual_seed(seed)) * 2


def spelt(path: tuple[int, ...]) -> list[int]:
    """The labels of a path."""
    return [label for label, _ in groupby(path) if label != BLANK]


def brute_force(logits: Tensor, labels: list[int]) -> float:
    """The negative logarithm of the sum over all paths that spell the labels, in steps (S, V)."""
    probs = torch.softmax(logits.double(), dim=1).tolist()
    paths = (path for path in product(range(4), repeat=len(probs)) if spelt(path) == labels)
    return -math.log(sum(math.prod(step[label] for step, label in zip(probs, path, strict=True)) for path in paths))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.lists(st.tuples(LABELS, st.integers(0, 2)), min_size=1, max_size=3))
def test_the_loss_is_the_sum_over_all_paths_of_all_segments(seed: int, rows: list[tuple[list[int], int]]) -> None:
    """Garbage stands beyond the ends of logits and labels."""
    targets = [labels for labels, _ in rows]
    lengths = [max(1, steps_needed(labels) + spare) for labels, spare in rows]
    logits = drawn(len(rows), max(lengths), seed)
    logits[torch.arange(max(lengths)) >= torch.tensor(lengths).unsqueeze(1)] = 1e4
    padded = torch.tensor([[*labels, *[3] * (5 - len(labels))] for labels in targets])
    loss = ctc_loss(logits, torch.tensor(lengths), padded, torch.tensor([len(one) for one in targets]), BLANK)
    expected = [brute_force(logits[row, : lengths[row]], labels) for row, labels in enumerate(targets)]
    assert loss.item() == pytest.approx(sum(expected), abs=1e-4)


def test_gradients_stop_at_the_ends_and_16_bits_are_enough() -> None:
    logits = drawn(2, 6, seed=1).bfloat16().requires_grad_()
    loss = ctc_loss(logits, torch.tensor([6, 3]), torch.tensor([[1, 1, 2], [3, 0, 0]]), torch.tensor([3, 1]), BLANK)
    assert loss.dtype == torch.float32
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[1, :3].any() and not logits.grad[1, 3:].any()


@pytest.mark.parametrize(
    ("labels", "steps"), [([], 0), ([7], 1), ([7, 8], 2), ([7, 7], 3), ([7, 7, 7, 8, 8], 8), ([7, 8, 7], 3)]
)
def test_steps_by_hand(labels: list[int], steps: int) -> None:
    assert steps_needed(labels) == steps


@settings(max_examples=20)
@given(LABELS.filter(bool), st.integers(0, 4))
def test_the_loss_is_infinite_exactly_when_steps_are_missing(labels: list[int], missing: int) -> None:
    steps = max(1, steps_needed(labels) - missing)
    one = torch.tensor([steps])
    loss = ctc_loss(drawn(1, steps, 0), one, torch.tensor([labels]), torch.tensor([len(labels)]), BLANK)
    assert loss.isinf().item() == (steps < steps_needed(labels))


def test_the_likeliest_path_by_hand() -> None:
    """Equal neighbours become one, blanks are left out, and what stands beyond the end is not read."""
    paths = torch.tensor([[0, 2, 2, 0, 2, 1], [3, 3, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1]])
    log_probs = torch.nn.functional.one_hot(paths, 4).float()
    assert best_path(log_probs, torch.tensor([6, 4, 2]), BLANK) == [[2, 2, 1], [3, 1], []]


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 7), min_size=1, max_size=3), st.integers(0, 3))
def test_the_likeliest_path_spells_what_it_spells(seed: int, lengths: list[int], blank: int) -> None:
    """With any number for the blank."""
    log_probs = drawn(len(lengths), max(lengths), seed)
    expected = [
        [label for label, _ in groupby(row[:length].argmax(1).tolist()) if label != blank]
        for row, length in zip(log_probs, lengths, strict=True)
    ]
    assert best_path(log_probs, torch.tensor(lengths), blank) == expected


def test_the_head_is_affine() -> None:
    torch.manual_seed(0)
    head, memory = CtcHead(6, 4), torch.randn(2, 5, 6)
    torch.testing.assert_close(head(memory), memory @ head.project.weight.t() + head.project.bias)


def test_a_head_learns_what_stands_in_its_memory() -> None:
    """The labels of two segments, by gradient alone."""
    torch.manual_seed(0)
    head, memory = CtcHead(16, 5), torch.randn(2, 9, 16)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    lengths, labels = torch.tensor([9, 6]), torch.tensor([[1, 1, 2, 4], [3, 2, 0, 0]])
    for _ in range(80):
        optimiser.zero_grad()
        ctc_loss(head(memory), lengths, labels, torch.tensor([4, 2]), BLANK).backward()
        optimiser.step()
    assert best_path(head(memory), lengths, BLANK) == [[1, 1, 2, 4], [3, 2]]
