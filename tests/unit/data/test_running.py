"""Batches of running text: rows go on where they ended, and an epoch reads the text once."""

from collections import Counter
from itertools import pairwise

import pytest
import torch

from s2s.data.monolingual import MonolingualData, MonolingualSegments
from s2s.data.prepared import open_data
from s2s.data.running import RunningBatches, RunningText
from tests.language import prepare_lines


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> MonolingualSegments:
    data = open_data(prepare_lines(tmp_path_factory.mktemp("lines")))
    assert isinstance(data, MonolingualData)
    return data.segments("train")


@pytest.fixture(scope="module")
def tokens(segments: MonolingualSegments) -> list[int]:
    return [token for line in segments.draw(range(len(segments)), None).ids for token in line]


def test_the_text_is_one_line_after_the_other_and_begins_anew(segments: MonolingualSegments, tokens: list[int]) -> None:
    text = RunningText(segments)
    assert len(text) == len(tokens)
    assert text.read(0, len(tokens)).tolist() == tokens
    assert text.read(len(tokens) - 3, len(tokens) + 5).tolist() == tokens[-3:] + tokens[:5]


def test_rows_go_on_and_labels_follow_inputs(segments: MonolingualSegments) -> None:
    batches = list(RunningBatches(segments, 200, 20, seed=1).epoch(0))
    assert [batch.continues for batch in batches] == [False] + [True] * (len(batches) - 1)
    for before, after in pairwise(batches):
        assert torch.equal(before.target[:, -1], after.target[:, 0])
    assert {batch.target.shape[0] for batch in batches} == {10}


@pytest.mark.parametrize(("budget", "steps"), [(200, 20), (64, 7), (30, 30), (10, 1000)])
def test_an_epoch_reads_each_token_once(
    segments: MonolingualSegments, tokens: list[int], budget: int, steps: int
) -> None:
    made = RunningBatches(segments, budget, steps, seed=1)
    batches = list(made.epoch(3))
    labels = Counter(label for batch in batches for label in batch.target[:, 1:].flatten().tolist())
    assert sum((Counter(tokens) - labels).values()) == len(tokens) % made.rows < made.rows
    assert not labels - Counter(tokens)
    assert sum(len(batch.indices) for batch in batches) == len(made)


def test_windows_are_named_by_the_lines_they_begin_in(segments: MonolingualSegments, tokens: list[int]) -> None:
    lines = segments.draw(range(len(segments)), None).ids
    text = RunningText(segments)
    assert [text.row(token) for token in range(len(tokens))] == [n for n, line in enumerate(lines) for _ in line]
    assert text.row(len(tokens)) == 0
    made = RunningBatches(segments, 200, 20, seed=1)
    for batch in made.epoch(0):
        for row, window in zip(batch.indices, batch.target[:, 1:].tolist(), strict=True):
            assert window[0] in lines[row]


def test_epochs_begin_elsewhere_and_can_be_gone_on_with(segments: MonolingualSegments) -> None:
    made = RunningBatches(segments, 200, 20, seed=1)
    first, again, other = (next(made.epoch(number)).target for number in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    rest = list(made.epoch(0, skip=4))
    assert all(torch.equal(one.target, two.target) for one, two in zip(list(made.epoch(0))[4:], rest, strict=True))
    assert rest[0].continues
    by_workers = [list(made.epoch(0, 1, worker, 3)) for worker in range(3)]
    assert [batch.indices for batch in made.epoch(0, 1)] == [
        by_workers[number % 3][number // 3].indices for number in range(made.count() - 1)
    ]


def test_processes_share_the_rows(segments: MonolingualSegments) -> None:
    whole = list(RunningBatches(segments, 60, 20, seed=1).epoch(0))
    shares = [list(RunningBatches(segments, 60, 20, 1, rank, 4).epoch(0)) for rank in range(4)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert sorted(index for part in parts for index in part.indices) == sorted(batch.indices)
        assert torch.equal(parts[1].target[0], batch.target[1])
    assert shares[3][0].indices == []  # three rows for four processes
