"""Batches keep the budget, lose nothing, and come in an order that is a function of (seed, epoch) alone."""

import random
from dataclasses import replace
from itertools import islice, pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from s2s.data import batches as module
from s2s.data.batches import Batch, TrainingBatches, collate, fill, round_up, validation_batches
from s2s.data.parallel_text import TextData, TextSegments
from s2s.text.vocabulary import BOS, EOS, PAD


@pytest.fixture
def train(prepared: TextData) -> TextSegments:
    return prepared.segments("train")


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several windows in the small corpus."""
    monkeypatch.setattr(module, "WINDOW", 150)


def same(first: list[Batch], second: list[Batch]) -> bool:
    return [batch.indices for batch in first] == [batch.indices for batch in second] and all(
        torch.equal(getattr(one, name), getattr(other, name))
        for one, other in zip(first, second, strict=True)
        for name in ("source", "source_lengths", "target", "target_lengths")
    )


def test_a_batch_by_hand() -> None:
    batch = collate([([5, 6, EOS], [7]), ([8, EOS], [9, 10, 11, 12])], [4, 2])
    assert batch.indices == [4, 2]
    assert batch.source.tolist() == [[5, 6, EOS, PAD], [8, EOS, PAD, PAD]]
    assert batch.source_lengths.tolist() == [3, 2]
    assert batch.target.tolist() == [
        [BOS, 7, EOS, PAD, PAD, PAD, PAD],
        [BOS, 9, 10, 11, 12, EOS, PAD],
    ]
    assert batch.target_lengths.tolist() == [2, 5]  # labels, which are target[:, 1:], of which there are 6
    assert batch.source.dtype == batch.target.dtype == batch.source_lengths.dtype == torch.int64


def test_an_empty_target_has_one_label() -> None:
    batch = collate([([EOS], [])], [0])
    assert batch.target[:, 1:].tolist() == [[EOS, PAD]]
    assert batch.target_lengths.tolist() == [1]


def test_padded_lengths_are_fine_where_they_are_short_and_few_where_they_are_long() -> None:
    assert [round_up(length) for length in (1, 2, 3, 63, 64, 65, 68, 69, 128, 129)] == [
        *(2, 2, 4, 64, 64, 68, 68, 72, 128, 136),
    ]
    assert [round_up(length, 16) for length in (1, 17, 512, 513, 1025)] == [16, 32, 512, 544, 1088]
    assert len({round_up(length) for length in range(1, 2049)}) == 32 + 5 * 16
    for length in range(1, 2049):
        assert length <= round_up(length) <= max(length + 1, 1.07 * length)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 200))
def test_no_batch_costs_more_than_the_budget_unless_it_is_one_segment(lengths: list[int], budget: int) -> None:
    order = random.Random(1).sample(range(len(lengths)), len(lengths))
    filled = fill(order, lengths, budget)
    assert [position for batch in filled for position in batch] == order
    for batch in filled:
        assert len(batch) == 1 or max(lengths[position] for position in batch) * len(batch) <= budget
    for batch, after in pairwise(filled):  # none could have taken the next segment too
        assert max(lengths[position] for position in [*batch, after[0]]) * (len(batch) + 1) > budget


@pytest.mark.parametrize("alpha", [None, 0.2])
def test_the_budget_holds_for_what_is_drawn(prepared: TextData, train: TextSegments, alpha: float | None) -> None:
    sampler = prepared.codec.sampler(alpha) if alpha else None
    for batch in TrainingBatches(replace(train, sampler=sampler, seed=1), 320, 1).epoch(0):
        labels = batch.target[:, 1:]
        rows, width = len(batch.indices), max(batch.source.shape[1], labels.shape[1])
        assert rows == 1 or rows * width <= 320
        assert batch.source.shape[1] % 2 == labels.shape[1] % 2 == 0
        assert batch.source.shape[1] == round_up(int(batch.source_lengths.max()))
        assert labels.shape[1] == round_up(int(batch.target_lengths.max()))


def test_batches_are_mostly_full(train: TextSegments) -> None:
    found = list(TrainingBatches(train, 640, 1).epoch(0))
    real = sum(int(batch.source_lengths.sum() + batch.target_lengths.sum()) for batch in found)
    padded = sum(batch.source.numel() + batch.target[:, 1:].numel() for batch in found)
    assert real / padded > 0.85
    assert len(found) < 1.25 * sum(batch.target[:, 1:].numel() for batch in found) / 640 + 1


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("alpha", [None, 0.2])
def test_an_epoch_has_each_segment_once(prepared: TextData, train: TextSegments, alpha: float | None) -> None:
    sampler = prepared.codec.sampler(alpha) if alpha else None
    tokenizers = prepared.codec
    seen = []
    for batch in TrainingBatches(replace(train, sampler=sampler, seed=1), 320, 1).epoch(3):
        for index, ids, length, target, labels in zip(
            batch.indices, batch.source, batch.source_lengths, batch.target, batch.target_lengths, strict=True
        ):
            seen.append(index)
            source_text, target_text = train.texts([index])[0]
            _, masks = tokenizers.encode_source(source_text)
            assert tokenizers.decode_target(ids[: length - 1].tolist(), masks) == source_text
            assert tokenizers.decode_target(target[1:labels].tolist(), masks) == target_text
            assert (ids[length - 1], target[0], target[labels]) == (EOS, BOS, EOS)
            assert (ids[length:] == PAD).all()
            assert (target[labels + 1 :] == PAD).all()
    assert sorted(seen) == list(range(len(train)))


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("alpha", [None, 0.2])
def test_the_order_is_a_function_of_seed_and_epoch_alone(
    prepared: TextData, train: TextSegments, alpha: float | None
) -> None:
    def batches(seed: int = 1) -> TrainingBatches:
        sampler = prepared.codec.sampler(alpha) if alpha else None
        return TrainingBatches(replace(train, sampler=sampler, seed=seed), 320, seed)

    used = batches()
    first = list(used.epoch(0))
    second = list(used.epoch(1))
    assert same(list(batches().epoch(1)), second)
    torch.manual_seed(7)
    random.seed(7)
    assert same(list(used.epoch(0)), first)
    assert [batch.indices for batch in first] != [batch.indices for batch in second]
    assert [batch.indices for batch in first] != [batch.indices for batch in batches(seed=2).epoch(0)]


@pytest.mark.usefixtures("small_windows")
def test_sampling_draws_other_subwords_in_other_epochs(prepared: TextData, train: TextSegments) -> None:
    def sources(epoch: int) -> dict[int, list[int]]:
        found = TrainingBatches(replace(train, sampler=prepared.codec.sampler(0.1), seed=1), 320, 1).epoch(epoch)
        return {index: ids.tolist() for batch in found for index, ids in zip(batch.indices, batch.source, strict=True)}

    first, second = sources(0), sources(1)
    assert sum(first[row] != second[row] for row in first) > len(first) / 2


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("alpha", [None, 0.2])
def test_skipped_batches_are_the_first_ones(prepared: TextData, train: TextSegments, alpha: float | None) -> None:
    batches = TrainingBatches(replace(train, sampler=prepared.codec.sampler(alpha) if alpha else None, seed=1), 320, 1)
    whole = list(batches.epoch(2))
    for skip in (0, 1, len(whole) // 2, len(whole) - 1, len(whole), len(whole) + 5):
        assert same(list(batches.epoch(2, skip=skip)), whole[skip:])


def test_skipping_makes_no_batches(train: TextSegments, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def noted(*arguments: object) -> Batch:
        made.append(arguments)
        return collate(*arguments)

    monkeypatch.setattr(module, "collate", noted)
    assert len(list(islice(TrainingBatches(train, 320, 1).epoch(0, skip=10), 1))) == 1
    assert len(made) == 1


def test_the_count_is_that_of_an_epoch(
    prepared: TextData, train: TextSegments, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = TrainingBatches(train, 160, 1)
    exact = len(list(batches.epoch(0)))
    assert batches.count() == exact
    monkeypatch.setattr(module, "WINDOW", 150)
    assert abs(batches.count() - exact) < 0.1 * exact


def test_batches_of_an_epoch_are_in_random_order(train: TextSegments) -> None:
    widths = [batch.source.shape[1] for batch in TrainingBatches(train, 320, 1).epoch(0)]
    assert widths != sorted(widths)
    assert widths != sorted(widths, reverse=True)


def test_segments_longer_than_the_budget_are_told_once(train: TextSegments, capsys: pytest.CaptureFixture[str]) -> None:
    batches = TrainingBatches(train, 8, 1)
    assert {len(batch.indices) for batch in batches.epoch(0) if batch.source.shape[1] > 8} == {1}
    list(batches.epoch(1))
    told = capsys.readouterr().err
    assert told.count("warning: there are segments that cost more") == 1
    assert "than training.batch_tokens (8)" in told
    list(TrainingBatches(train, 4000, 1).epoch(0))
    assert capsys.readouterr().err == ""


def test_validation_is_unsampled_and_says_where_each_segment_belongs(prepared: TextData) -> None:
    dev = prepared.segments("dev")
    expected = dev.draw(range(len(dev)), None).pairs
    seen = []
    for batch in validation_batches(dev, 320):
        assert len(batch.indices) * max(batch.source.shape[1], batch.target.shape[1] - 1) <= 320
        for index, ids, length in zip(batch.indices, batch.source, batch.source_lengths, strict=True):
            seen.append(index)
            assert ids[:length].tolist() == expected[index][0]
    assert sorted(seen) == list(range(len(dev)))
