"""The nearest source by character n-grams."""

import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from s2s.evaluation.neighbours import ORDERS, NearestNeighbour

SENTENCES = ["Turn on the light", "Turn off the heating", "Failed to connect", "Invalid password"]


def slow_similarities(texts: list[str], query: str) -> list[float]:
    """The definition, word by word: cosine of tf-idf vectors; n-grams of the query that no text has count nothing."""

    def grams(text: str) -> Counter[str]:
        padded = f" {text.casefold()} "
        return Counter(padded[start : start + n] for n in ORDERS for start in range(len(padded) - n + 1))

    counted = [grams(text) for text in texts]
    frequency = Counter(gram for counts in counted for gram in counts)

    def weigh(counts: Counter[str]) -> dict[str, float]:
        known = {gram: count for gram, count in counts.items() if gram in frequency}
        return {g: (1 + math.log(count)) * math.log(1 + len(texts) / frequency[g]) for g, count in known.items()}

    vectors = [weigh(counts) for counts in counted]
    wanted = weigh(grams(query))
    return [
        sum(weight * vector.get(gram, 0) for gram, weight in wanted.items()) / math.hypot(*vector.values())
        for vector in vectors
    ]


def test_the_most_similar_source_is_found_whatever_its_case() -> None:
    """Word endings, order and case do not matter much to n-grams of characters."""
    index = NearestNeighbour(SENTENCES)
    queries = ["FAILED TO CONNECT.", "The passwords are invalid", "light turned on", "turn the heating off"]
    assert [SENTENCES[nearest] for nearest in index.nearest(queries)] == [
        "Failed to connect",
        "Invalid password",
        "Turn on the light",
        "Turn off the heating",
    ]


def test_the_first_of_equals_wins_and_an_unknown_query_gets_the_first_text() -> None:
    """There is always an answer."""
    index = NearestNeighbour(["abc", "xyz", "xyz"])
    assert index.nearest(["xyz", "", "漢字"]) == [1, 0, 0]
    assert index.nearest([]) == []


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.text("abcA é漢", max_size=8), min_size=1, max_size=8),
    query=st.text("abcA é漢", max_size=8),
)
def test_the_index_agrees_with_the_definition(texts: list[str], query: str) -> None:
    """Within rounding, no text is more similar than the one that the index names."""
    similarities = slow_similarities(texts, query)
    nearest = NearestNeighbour(texts).nearest([query])[0]
    assert similarities[nearest] >= max(similarities) - 1e-4
