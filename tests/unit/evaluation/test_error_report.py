"""Error rates as text: exact lines, wrapped alignments, and nothing that a terminal would obey."""

import re

from s2s.evaluation.error_details import Details, WrongSegment, find_details
from s2s.evaluation.error_rates import Rate
from s2s.evaluation.error_report import WIDTH, detail_lines, detail_values, rate_lines, rate_values

WER = Rate("WER", 12.344, "wer|x", 1, 2, 3, 1234, 10.0, 14.5, 0.01234)
SER = Rate("SER", 50.0, "ser|x", 5, 0, 0, 10)


def test_lines_of_rates() -> None:
    """Interval and p-value only where there are any."""
    assert list(rate_lines({"wer": WER, "ser": SER})) == [
        "  WER  12.34  (10.00 to 14.50)  p = 0.0123  wer|x",
        "  SER  50.00  ser|x",
        "  words: 1,234 in the references; 1 substituted, 2 deleted, 3 inserted",
        "  segments: 10, 5 of them wrong",
    ]


def test_values_of_rates() -> None:
    """The same as plain values; substitutions of segments are no use."""
    values = rate_values({"wer": WER, "ser": SER})
    assert list(values["wer"]) == [
        *("score", "interval_95", "p_value", "substitutions", "deletions", "insertions", "errors"),
        *("reference_length", "signature"),
    ]
    assert (values["wer"]["interval_95"], values["wer"]["p_value"], values["wer"]["errors"]) == (
        [10.0, 14.5],
        0.0123,
        6,
    )
    assert values["ser"] == {"score": 50.0, "errors": 5, "reference_length": 10, "signature": "ser|x"}


def test_details_for_people() -> None:
    """Tables, the wrong segment with its words side by side, and the confusions."""
    details = find_details(["do turn of", "uh"], ["turn off", ""], "none", ["anna", "bob"])
    assert list(detail_lines(details, None, "")) == [
        "",
        "speaker     WER     CER  segments  wrong    words   sub.   del.   ins.",
        "anna     100.00   50.00         1      1        2      1      0      1",
        "bob           -       -         1      1        0      0      0      1",
        "",
        "reference words     WER     CER  segments  wrong    words   sub.   del.   ins.",
        "0                     -       -         1      1        0      0      0      1",
        "1-2              100.00   50.00         1      1        2      1      0      1",
        "",
        "wrong segments",
        "line 1",
        "  REF  ** turn off",
        "  HYP  do turn of",
        "       I       S",
        "line 2",
        "  REF  **",
        "  HYP  uh",
        "       I",
        "",
        "most frequent errors",
        "      1  do inserted",
        "      1  uh inserted",
        "      1  off -> of",
    ]


def test_nothing_is_said_of_what_is_not_there() -> None:
    """No speakers, no errors: one table."""
    assert len(list(detail_lines(find_details(["a"], ["a"], "none"), None))) == 3


def test_long_segments_are_wrapped() -> None:
    """No line is longer than its width, unless one word is, and no word is lost or stands under another's place."""
    words = [f"word{number}" for number in range(60)] + ["x" * (WIDTH + 20)]
    pairs = [(word, None if number % 7 == 0 else word) for number, word in enumerate(words)]
    details = Details([], [], [WrongSegment(0, pairs)], [])
    lines = list(detail_lines(details, ["u1"], ""))
    assert lines[2] == "u1"
    references, hypotheses, letters = lines[3::3], lines[4::3], lines[5::3]
    assert [word for line in references for word in line.split()[1:]] == words
    for reference, hypothesis, letter in zip(references, hypotheses, letters, strict=True):
        assert [match.start() for match in re.finditer("D", letter)] == [
            match.start() for match in re.finditer(r"\*+", hypothesis)
        ]
        assert len(reference) == len(hypothesis)
    assert "".join(letters).count("D") == 9
    assert all(len(line) <= WIDTH + 7 for line in lines[:-3])


def test_control_characters_are_shown_as_escapes() -> None:
    """In words and in names; letters of any script stay."""
    details = find_details(["\x1b[31mrot", "b"], ["gr\u00fcn", "\x07"], "none", ["\x1b]0;", "z"])
    text = "\n".join(detail_lines(details, ["i\x9b", "j"]))
    assert "\\x1b[31mrot" in text
    assert "gr\u00fcn" in text
    assert "\\x1b]0;" in text
    assert "i\\x9b" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_details_as_values() -> None:
    """A deleted word stands beside null; segments have numbers, and ids where there are any."""
    details = find_details(["a", "b"], ["a", "b c"], "none", ["anna", "anna"])
    values = detail_values(details, ["u1", "u2"])
    assert values["wrong"] == [{"number": 2, "id": "u2", "pairs": [("b", "b"), ("c", None)]}]
    assert detail_values(details, None)["wrong"][0].keys() == {"number", "pairs"}
    assert values["confusions"] == [{"reference": "c", "hypothesis": None, "count": 1}]
    assert values["speakers"][0]["speaker"] == "anna"
    assert values["speakers"][0]["wer"] == 33.33
    assert [row["reference_words"] for row in values["lengths"]] == ["1-2"]
