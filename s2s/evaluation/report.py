"""Scores as lines for people and as plain values for JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from s2s.evaluation.placeholders import PlaceholderCounts
from s2s.evaluation.scores import Score


def score_lines(scores: Mapping[str, Score], indent: str = "  ") -> Iterator[str]:
    """One line for each score: value, 95 % confidence, p-value when compared, signature."""
    for score in scores.values():
        confidence = "" if score.confidence is None else f" ± {score.confidence:.2f}"
        compared = "" if score.p_value is None else f"  p = {score.p_value:.4f}"
        yield f"{indent}{score.metric:<5} {score.value:6.2f}{confidence}{compared}  {score.signature}"


def score_values(scores: Mapping[str, Score]) -> dict[str, Any]:
    """`{metric: {score, signature}}`, with `confidence_95` and `p_value` where they were computed."""
    return {key: _values(score) for key, score in scores.items()}


def _values(score: Score) -> dict[str, Any]:
    values: dict[str, Any] = {"score": round(score.value, 2)}
    if score.confidence is not None:
        values["confidence_95"] = round(score.confidence, 2)
    if score.p_value is not None:
        values["p_value"] = round(score.p_value, 4)
    return {**values, "signature": score.signature}


def placeholder_line(counts: PlaceholderCounts) -> str:
    """The counts in one sentence."""
    return f"placeholders: {counts.expected:,} expected, {counts.lost:,} lost, {counts.invented:,} invented"
