"""The fewest edits, against a brute-force search and by hand."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from s2s.evaluation.edits import align_words, count_edits

TEXTS = st.lists(st.sampled_from(["a", "b", "ab", "ba c"]), max_size=6).map(" ".join)


def fewest_edits(reference: list[str] | str, hypothesis: list[str] | str) -> int:
    """By trying every way."""

    @cache
    def fewest(i: int, j: int) -> int:
        if i == len(reference) or j == len(hypothesis):
            return len(reference) - i + len(hypothesis) - j
        kept = fewest(i + 1, j + 1) + (reference[i] != hypothesis[j])
        return min(kept, fewest(i + 1, j) + 1, fewest(i, j + 1) + 1)

    return fewest(0, 0)


def test_counts_by_hand() -> None:
    """Substitutions, deletions, insertions and length of the reference; one space divides two words."""
    hypotheses = ["the dog sat", "a b", "x", "", "", "a  c  d"]
    references = ["the cat sat", "a b c d", "x y", "", "ab", "a d"]
    counts = count_edits(hypotheses, references, str.split)
    assert counts.words.tolist() == [[1, 0, 0, 3], [0, 2, 0, 4], [0, 1, 0, 2], [0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 2]]
    assert counts.characters.tolist() == [
        [3, 0, 0, 11],
        [0, 4, 0, 7],
        [0, 2, 0, 3],
        [0, 0, 0, 0],
        [0, 2, 0, 2],
        [0, 0, 2, 3],
    ]


def test_an_empty_reference_makes_all_words_insertions() -> None:
    """Of words two, of characters one more for the space."""
    counts = count_edits(["uh well"], ["  "], str.split)
    assert counts.words.tolist() == [[0, 0, 2, 0]]
    assert counts.characters.tolist() == [[0, 0, 7, 0]]


def test_both_sides_are_normalised() -> None:
    """By whatever they are given."""
    counts = count_edits(["A-B", "c"], ["a b", "C"], lambda text: text.lower().replace("-", " ").split())
    assert counts.words[:, :3].sum() == 0
    assert counts.words[:, 3].tolist() == [2, 1]


def test_words_side_by_side() -> None:
    """None where one side has no word."""
    aligned = list(align_words(["a x c", "", "n", "a b"], ["a b c d", "m", "", "a b"], str.split))
    assert aligned == [
        [("a", "a"), ("b", "x"), ("c", "c"), ("d", None)],
        [("m", None)],
        [(None, "n")],
        [("a", "a"), ("b", "b")],
    ]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_the_edits_are_as_few_as_can_be(pairs: list[tuple[str, str]]) -> None:
    """In every segment, in words and in characters; the aligned words tell the same counts."""
    references, hypotheses = map(list, zip(*pairs, strict=True))
    counts = count_edits(hypotheses, references, str.split)
    for row, (reference, hypothesis) in enumerate(pairs):
        assert counts.words[row, :3].sum() == fewest_edits(reference.split(), hypothesis.split())
        assert counts.characters[row, :3].sum() == fewest_edits(reference, hypothesis)
    for row, words in enumerate(align_words(hypotheses, references, str.split)):
        deleted, inserted = sum(other is None for _, other in words), sum(one is None for one, _ in words)
        substituted = sum(one != other for one, other in words) - deleted - inserted
        assert counts.words[row].tolist() == [substituted, deleted, inserted, len(references[row].split())]
        assert [one for one, _ in words if one is not None] == references[row].split()
        assert [other for _, other in words if other is not None] == hypotheses[row].split()
