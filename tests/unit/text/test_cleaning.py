"""Each filter takes what it names, counts it, and takes nothing else."""

import pytest

from s2s.errors import UsageError
from s2s.text.cleaning import FILTERS, Cleaner, CleaningOptions, length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("two  words ", 2),
        ("ein Wort", 2),
        ("설정하시겠습니까 {name}", 2),  # Korean puts spaces between words
        ("日本語", 3),
        ("ホーム画面を開く", 8),
        ("人々", 2),
        ("Wi-Fi に接続", 4),
        ("เปิดไฟ", 6),
        ("x" * 20, 1),
        ("x" * 21, 2),
    ],
)
def test_lengths_are_words_or_characters_by_script(text: str, expected: int) -> None:
    assert length(text) == expected


def cleaner(**options: object) -> Cleaner:
    return Cleaner(CleaningOptions(**options))


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("a dog", "ein Hund", None),
        ("", "ein Hund", "empty"),
        ("a dog", " \t\u3000", "empty"),
        ("a " * 200, "ein " * 200, None),
        ("a " * 201, "ein " * 200, "too long"),
        ("a", "日" * 201, "too long"),
        ("x" * 5000, "y" * 5000, "too long"),
        ("one two", "eins zwei drei " * 3, None),  # 9 words are 3 * 2 + 3
        ("one two", "eins zwei drei " * 3 + "vier", "length ratio"),
        ("eins zwei drei " * 3 + "vier", "one two", "length ratio"),
        ("Please turn off the lights in the kitchen", "キッチンの照明を消してください", None),
        ("Open", "日" * 12, None),  # 6 words are 3 * 1 + 3
        ("Open", "日" * 13, "length ratio"),
        ("WLAN", " WLAN", "copy of the source"),
        ("WLAN", "wlan", None),
    ],
)
def test_each_filter_takes_what_it_names(source: str, target: str, reason: str | None) -> None:
    filters = cleaner()
    assert filters.keeps(source, target) is (reason is None)
    assert dict(filters.taken) == ({reason: 1} if reason else {})
    assert reason is None or reason in FILTERS


def test_a_pair_is_a_duplicate_when_both_sides_came_before() -> None:
    filters = cleaner()
    pairs = [("a dog", "ein Hund"), ("a dog", "Hund"), ("the dog", "ein Hund"), (" a dog", "ein Hund "), ("a", "dog")]
    assert [filters.keeps(*pair) for pair in pairs] == [True, True, True, False, True]
    assert dict(filters.taken) == {"duplicate": 1}


def test_sides_are_told_apart_in_duplicates() -> None:
    filters = cleaner()
    assert filters.keeps("a b", "c")
    assert filters.keeps("a", "b c")


def test_options_move_the_limits() -> None:
    assert not cleaner(max_length=3).keeps("1 2 3 4", "a b c")
    assert cleaner(max_length=4).keeps("1 2 3 4", "a b c")
    assert not cleaner(max_ratio=1.0).keeps("1 2 3 4 5", "a")
    assert cleaner(max_ratio=2.0).keeps("1 2 3 4 5", "a")
    assert cleaner(keep_copies=True).keeps("WLAN", "WLAN")


@pytest.mark.parametrize("ratio", [float("inf"), float("nan"), 0.5])
def test_a_ratio_that_is_no_number_is_refused(ratio: float) -> None:
    with pytest.raises(UsageError, match="1000 lets all pass"):
        CleaningOptions(max_ratio=ratio)
