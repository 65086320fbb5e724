"""A line is one for every program, whoever wrote it."""

from hypothesis import given
from hypothesis import strategies as st

from s2s.text.lines import one_line


@given(st.text())
def test_one_line_is_one_line_of_the_same_length(text: str) -> None:
    found = one_line(text)
    assert len(found) == len(text)
    assert len(("x" + found + "x").splitlines()) == 1
    assert "\0" not in found


def test_other_characters_stay() -> None:
    assert one_line("a\tb  ü\u200b\ue000\U0001f600") == "a\tb  ü\u200b\ue000\U0001f600"
