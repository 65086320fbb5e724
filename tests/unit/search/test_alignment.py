"""Alignments against brute force over all paths, and by hand."""

from itertools import groupby, pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from s2s.search import Span, align

BLANK = 0


def posteriors(steps: int, vocabulary: int, seed: int) -> Tensor:
    """Random log-probabilities (S, V)."""
    draw = torch.Generator().manual_seed(seed)
    return torch.log_softmax(torch.randn(steps, vocabulary, generator=draw) * 2, dim=1)


def brute_force(log_probs: Tensor, labels: list[int]) -> list[Span]:
    """The spans of the likeliest of all paths that spell the labels."""
    steps, vocabulary = log_probs.shape
    paths = [
        path
        for path in product(range(vocabulary), repeat=steps)
        if [label for label, _ in groupby(path) if label != BLANK] == labels
    ]
    best = max(paths, key=lambda path: sum(log_probs[step, label].item() for step, label in enumerate(path)))
    spans, start = [], 0
    for label, group in groupby(best):
        end = start + len(list(group))
        if label != BLANK:
            spans.append(Span(start, end, pytest.approx(log_probs[start:end, label].exp().mean().item())))
        start = end
    return spans


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 6), st.lists(st.integers(1, 3), max_size=4))
def test_the_likeliest_of_all_paths(seed: int, steps: int, labels: list[int]) -> None:
    """Or an error when no path has so few steps."""
    log_probs = posteriors(steps, 4, seed)
    needed = len(labels) + sum(one == two for one, two in pairwise(labels))
    if needed > steps:
        with pytest.raises(ValueError, match=f"{len(labels)} labels cannot be spelt in {steps} steps: they need"):
            align(log_probs, labels, BLANK)
    else:
        assert align(log_probs, labels, BLANK) == brute_force(log_probs, labels)


def test_by_hand() -> None:
    """Blank, 2 twice, 1; then a blank that is hardly likely, but without it 1 would not come twice."""
    probs = torch.tensor(
        [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.7, 0.2]]
    )
    expected = [Span(1, 3, pytest.approx(0.7)), Span(3, 4, pytest.approx(0.8)), Span(5, 6, pytest.approx(0.7))]
    assert align(probs.log(), [2, 1, 1], BLANK) == expected
    assert align(probs.log(), [2, 1], BLANK)[1] == Span(3, 6, pytest.approx(2.3 / 3))


def test_no_labels_have_no_spans() -> None:
    assert align(posteriors(3, 4, 0), [], BLANK) == []
    assert align(posteriors(0, 4, 0), [], BLANK) == []


def test_a_blank_of_another_number() -> None:
    """The columns in another order give the same."""
    log_probs = posteriors(6, 4, 5)
    moved = log_probs[:, [1, 2, 3, 0]]
    assert align(moved, [0, 2], 3) == align(log_probs, [1, 3], 0)


def test_a_minute_of_speech() -> None:
    """Spans are in order, do not overlap, and labels that are said clearly are found where they are."""
    draw = torch.Generator().manual_seed(1)
    labels = torch.randint(1, 40, (400,), generator=draw).tolist()
    logits = torch.zeros(1600, 40)
    for number, label in enumerate(labels):
        logits[4 * number + 1 : 4 * number + 3, label] = 9.0
        logits[[4 * number, 4 * number + 3], BLANK] = 9.0
    spans = align(torch.log_softmax(logits, dim=1), labels, BLANK)
    assert [(span.start, span.end) for span in spans] == [(4 * n + 1, 4 * n + 3) for n in range(400)]
    assert all(span.confidence > 0.99 for span in spans)
