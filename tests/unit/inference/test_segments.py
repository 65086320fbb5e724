"""Lines as the model reads them, and batches of like length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.inference.segments import length_batches, read_segment
from s2s.text.vocabulary import EOS
from tests.tiny import tokenizers


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 100))
def test_every_segment_with_tokens_is_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = length_batches(lengths, budget)
    assert sorted(n for batch in batches for n in batch) == [n for n, length in enumerate(lengths) if length]
    for batch in batches:
        padded = -(-max(lengths[n] for n in batch) // 2) * 2
        assert len(batch) == 1 or padded * len(batch) <= budget


def test_batches_are_full() -> None:
    assert length_batches([4, 12, 4, 12, 4], 12) == [[0, 2, 4], [1], [3]]


@pytest.mark.parametrize("line", ["", " ", "\t", "\r", "\u2028", "\0", "\x85 \v"])
def test_a_blank_line_has_no_tokens(line: str) -> None:
    assert read_segment(line, tokenizers(), 10).ids == []


def test_a_long_line_is_cut_and_keeps_its_end_symbol() -> None:
    line = " ".join(["house"] * 12)
    whole = read_segment(line, tokenizers(), 12)
    assert not whole.cut
    assert len(whole.ids) == 13
    short = read_segment(line, tokenizers(), 11)
    assert short.cut
    assert short.ids == [*whole.ids[:11], EOS]


@pytest.mark.parametrize("line", ["a\ud800b", "a\nb", "a\0b", "\U0010ffff", "\ufeff"])
def test_any_string_is_read(line: str) -> None:
    assert read_segment(line, tokenizers(), 100).ids[-1] == EOS
