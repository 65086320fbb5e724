"""A vocabulary is learned from a part of a large corpus, which is the same part each time."""

from collections import Counter
from collections.abc import Iterator

import pytest

from s2s.data import learning
from s2s.data.learning import draw, learn_tokenizer, sample_size

TEXTS = [f"{number} times {number * 7919 % 1009} is {number**3}" for number in range(3000)]


def test_half_a_million_segments_are_enough_or_fewer_long_ones() -> None:
    assert sample_size(10_000_000, 600_000_000) == 500_000
    assert sample_size(10_000_000, 1_600_000_000) == 250_000
    assert sample_size(1_000, 70_000) == 1_000
    assert sample_size(0, 0) == 0


@pytest.mark.parametrize("wanted", [0, 1, 7, 10])
def test_as_many_are_drawn_as_are_wanted(wanted: int) -> None:
    drawn = list(draw(map(str, range(10)), 10, wanted))
    assert len(set(drawn)) == wanted
    assert drawn == sorted(drawn) == list(draw(map(str, range(10)), 10, wanted))


def test_all_have_the_same_chance() -> None:
    found: Counter[int] = Counter()
    texts = [str(number) for number in range(100_000)]
    for text in draw(texts, len(texts), 20_000):
        found[int(text) // 10_000] += 1
    assert sum(found.values()) == 20_000
    assert all(1850 < found[tenth] < 2150 for tenth in range(10))  # five standard deviations are 200


def test_the_same_part_gives_the_same_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    def texts() -> Iterator[str]:
        return iter(TEXTS)

    whole = learn_tokenizer(texts, "joint", "unigram", 400)
    monkeypatch.setattr(learning, "MAX_CHARACTERS", 10_000)
    one, other = (learn_tokenizer(texts, "joint", "unigram", 400) for _ in range(2))
    assert one.model == other.model != whole.model
