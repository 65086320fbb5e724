"""Error rates and their details as lines for people and as plain values for JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from s2s.evaluation.edits import Pair
from s2s.evaluation.error_details import Confusion, Details, Group
from s2s.evaluation.error_rates import Rate

WIDTH = 100
"""Columns of aligned words on one line, where a single pair is not longer."""
_COUNTED = {"WER": "words", "CER": "characters"}


def rate_lines(rates: Mapping[str, Rate], indent: str = "  ") -> Iterator[str]:
    """For each rate its value, 95 % interval, p-value when compared, and signature; below them what was counted."""
    for rate in rates.values():
        bounds = "" if rate.lower is None else f"  ({rate.lower:.2f} to {rate.upper:.2f})"
        compared = "" if rate.p_value is None else f"  p = {rate.p_value:.4f}"
        yield f"{indent}{rate.metric} {rate.value:6.2f}{bounds}{compared}  {rate.signature}"
    for rate in rates.values():
        yield f"{indent}{_counted(rate)}"


def _counted(rate: Rate) -> str:
    if rate.metric not in _COUNTED:
        return f"segments: {rate.reference_length:,}, {rate.errors:,} of them wrong"
    edits = f"{rate.substitutions:,} substituted, {rate.deletions:,} deleted, {rate.insertions:,} inserted"
    return f"{_COUNTED[rate.metric]}: {rate.reference_length:,} in the references; {edits}"


def detail_lines(details: Details, ids: Sequence[str] | None, indent: str = "  ") -> Iterator[str]:
    """The tables, the wrong segments with their words side by side, and the confusions.

    A segment is named by its id or, where there are none, by its line.
    """
    for title, groups in (("speaker", details.speakers), ("reference words", details.lengths)):
        if groups:
            yield ""
            yield from (f"{indent}{line}" for line in _table(title, groups))
    if details.wrong:
        yield from ("", f"{indent}wrong segments")
    for segment in details.wrong:
        yield f"{indent}{_printable(ids[segment.index]) if ids else f'line {segment.index + 1:,}'}"
        yield from (f"{indent}  {line}" for line in _side_by_side(segment.pairs))
    if details.confusions:
        yield from ("", f"{indent}most frequent errors")
    for confusion in details.confusions:
        yield f"{indent}{confusion.count:7,}  {_confusion(confusion)}"


def _table(title: str, groups: Sequence[Group]) -> Iterator[str]:
    width = max(len(title), *(len(_printable(group.name)) for group in groups))
    yield f"{title:<{width}}     WER     CER  segments  wrong    words   sub.   del.   ins."
    for group in groups:
        rates = " ".join("      -" if rate is None else f"{rate:7.2f}" for rate in (group.wer, group.cer))
        segments = f"{group.segments:9,} {group.wrong_segments:6,} {group.words:8,}"
        edits = f"{group.substitutions:6,} {group.deletions:6,} {group.insertions:6,}"
        yield f"{_printable(group.name):<{width}} {rates} {segments} {edits}"


def _side_by_side(pairs: Sequence[Pair]) -> Iterator[str]:
    """Three lines for each `WIDTH` columns: reference, hypothesis, and a letter below each error."""
    columns: list[tuple[str, str, str]] = []
    used = 0
    for reference, hypothesis in pairs:
        words = [_printable(word or "") for word in (reference, hypothesis)]
        width = max(map(len, words))
        if columns and used + width > WIDTH:
            yield from _rows(columns)
            columns, used = [], 0
        used += width + 1
        letter = "" if reference == hypothesis else "I" if reference is None else "D" if hypothesis is None else "S"
        first, second = (word.ljust(width) if word else "*" * width for word in words)
        columns.append((first, second, letter.ljust(width)))
    yield from _rows(columns)


def _rows(columns: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for name, cells in zip(("REF", "HYP", ""), zip(*columns, strict=True), strict=True):
        yield f"{name:<3}  {' '.join(cells)}".rstrip()


def _confusion(confusion: Confusion) -> str:
    if confusion.reference is None:
        return f"{_printable(confusion.hypothesis or '')} inserted"
    if confusion.hypothesis is None:
        return f"{_printable(confusion.reference)} deleted"
    return f"{_printable(confusion.reference)} -> {_printable(confusion.hypothesis)}"


def _printable(text: str) -> str:
    """The text with escapes for what a terminal would obey or not show."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def rate_values(rates: Mapping[str, Rate]) -> dict[str, Any]:
    """`{metric: {score, ..., signature}}`, with `interval_95` and `p_value` where they were computed."""
    return {key: _values(rate) for key, rate in rates.items()}


def _values(rate: Rate) -> dict[str, Any]:
    values: dict[str, Any] = {"score": round(rate.value, 2)}
    if rate.lower is not None and rate.upper is not None:
        values["interval_95"] = [round(rate.lower, 2), round(rate.upper, 2)]
    if rate.p_value is not None:
        values["p_value"] = round(rate.p_value, 4)
    if rate.metric in _COUNTED:
        values |= {key: getattr(rate, key) for key in ("substitutions", "deletions", "insertions")}
    return {**values, "errors": rate.errors, "reference_length": rate.reference_length, "signature": rate.signature}


def detail_values(details: Details, ids: Sequence[str] | None) -> dict[str, Any]:
    """`speakers` and `lengths` (tables), `wrong` (pairs of words, null where one is missing) and `confusions`.

    A segment is named by its number from 1 and, where there are ids, by its id.
    """
    return {
        "speakers": [_group_values("speaker", group) for group in details.speakers],
        "lengths": [_group_values("reference_words", group) for group in details.lengths],
        "wrong": [
            {
                "number": segment.index + 1,
                **({"id": ids[segment.index]} if ids else {}),
                "pairs": segment.pairs,
            }
            for segment in details.wrong
        ],
        "confusions": [asdict(confusion) for confusion in details.confusions],
    }


def _group_values(title: str, group: Group) -> dict[str, Any]:
    rates = {key: None if rate is None else round(rate, 2) for key, rate in (("wer", group.wer), ("cer", group.cer))}
    counts = asdict(group)
    return {title: counts.pop("name"), **rates, **counts}
