"""Placeholders that translations lose or invent."""

from s2s.evaluation.placeholders import PlaceholderCounts, count_placeholders


def test_lost_and_invented_placeholders_are_counted_with_repetitions() -> None:
    """Order is free; one of two equal ones can be lost; a misspelt one is both lost and invented."""
    expected = ["{a} and {b}", "{a} or {a}", "{host}:{port}", "plain"]
    hypotheses = ["{b} und {a}", "{a} oder", "{Host}:{port}", "schlicht {x}"]
    assert count_placeholders(expected, hypotheses) == PlaceholderCounts(expected=6, lost=2, invented=2)
