"""Where the errors are: tables by hand, and sums that agree with the rates."""

from hypothesis import given
from hypothesis import strategies as st

from s2s.evaluation.error_details import CONFUSIONS, Confusion, WrongSegment, find_details
from s2s.evaluation.error_rates import wer_and_cer

REFERENCES = ["the cat sat on the mat", "turn off", "", "good night all"]
HYPOTHESES = ["the cat sat on the mat", "turn of it", "uh", "good all"]
SPEAKERS = ["bob", "anna", "bob", "anna"]
TEXTS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=8).map(" ".join)


def test_tables_by_hand() -> None:
    """Speakers by name, lengths in order; no rate without reference words."""
    details = find_details(HYPOTHESES, REFERENCES, "none", SPEAKERS)
    anna, bob = details.speakers
    assert (anna.name, anna.segments, anna.wrong_segments, anna.words) == ("anna", 2, 2, 5)
    assert (anna.substitutions, anna.deletions, anna.insertions, anna.wer) == (1, 1, 1, 60)
    assert (anna.characters, anna.character_errors, anna.cer) == (22, 9, 100 * 9 / 22)
    assert (bob.name, bob.segments, bob.wrong_segments, bob.words, bob.insertions) == ("bob", 2, 1, 6, 1)
    assert [(group.name, group.segments, group.words) for group in details.lengths] == [
        ("0", 1, 0),
        ("1-2", 1, 2),
        ("3-5", 1, 3),
        ("6-10", 1, 6),
    ]
    assert [group.wer for group in details.lengths] == [None, 100, 100 / 3, 0]
    assert details.lengths[0].cer is None


def test_each_length_has_its_row() -> None:
    """The bounds belong to the rows that name them."""
    for words, name in (
        (1, "1-2"),
        (2, "1-2"),
        (3, "3-5"),
        (10, "6-10"),
        (20, "11-20"),
        (40, "21-40"),
        (41, "41 or more"),
    ):
        (group,) = find_details(["a"], ["a " * words], "none").lengths
        assert (group.name, group.words) == (name, words)


def test_wrong_segments_and_confusions_by_hand() -> None:
    """The most frequent first, else in the order of their words, no word before any."""
    details = find_details(["x b", "a", "x b c"], ["a b", "a", "a b"], "none")
    assert details.wrong == [
        WrongSegment(0, [("a", "x"), ("b", "b")]),
        WrongSegment(2, [("a", "x"), ("b", "b"), (None, "c")]),
    ]
    assert details.confusions == [Confusion("a", "x", 2), Confusion(None, "c", 1)]
    assert details.speakers == []


def test_there_is_an_end_to_confusions() -> None:
    """The rarest are left out."""
    references = ["often"] * 2 + [f"r{number:02}" for number in range(30)]
    confusions = find_details(["h"] * 32, references, "none").confusions
    assert len(confusions) == CONFUSIONS
    assert confusions[:2] == [Confusion("often", "h", 2), Confusion("r00", "h", 1)]


def test_segments_without_a_speaker_are_in_no_row() -> None:
    """The others are."""
    details = find_details(HYPOTHESES, REFERENCES, "none", ["bob", None, "", "bob"])
    assert [(group.name, group.segments) for group in details.speakers] == [("bob", 2)]


@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from("xyz")), min_size=1, max_size=6))
def test_each_table_adds_up_to_the_whole(rows: list[tuple[str, str, str]]) -> None:
    """Of segments, words, characters and errors."""
    hypotheses, references, speakers = map(list, zip(*rows, strict=True))
    details = find_details([*hypotheses, "a"], [*references, "a"], "none", [*speakers, "x"])
    wer, cer = wer_and_cer([*hypotheses, "a"], [*references, "a"])
    for groups in (details.speakers, details.lengths):
        assert sum(group.segments for group in groups) == len(rows) + 1
        assert sum(group.wrong_segments for group in groups) == len(details.wrong)
        assert sum(group.words for group in groups) == wer.reference_length
        assert sum(group.substitutions for group in groups) == wer.substitutions
        assert sum(group.deletions for group in groups) == wer.deletions
        assert sum(group.insertions for group in groups) == wer.insertions
        assert sum(group.characters for group in groups) == cer.reference_length
        assert sum(group.character_errors for group in groups) == cer.errors
    assert sum(confusion.count for confusion in details.confusions) == wer.errors
