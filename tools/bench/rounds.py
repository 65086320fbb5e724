"""Systems measured in turn, round after round, and what their figures are beside each other.

A machine is never equally fast twice. So systems alternate (s2s, peer, s2s, peer, ...), a ratio is taken within each
round, and the median of these ratios is told with the smallest and the largest of them.
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Figures = Mapping[str, float]
"""What one measurement found, by the name that heads its column, unit included."""

Found = dict[str, list[Figures]]
"""The figures of each round, by the name of the system."""


@dataclass(frozen=True)
class System:
    """What is measured: a name, and a call that measures it once, from its start to its end."""

    name: str
    measure: Callable[[], Figures]


@dataclass(frozen=True)
class Ratio:
    """Ratios of two systems, one a round."""

    median: float
    smallest: float
    largest: float


def alternate(systems: Sequence[System], rounds: int) -> Found:
    """Measure every system once a round; what is running and the time that is left goes to standard error."""
    found: Found = {system.name: [] for system in systems}
    began, total = time.monotonic(), rounds * len(systems)
    for done in range(total):
        system = systems[done % len(systems)]
        tell(f"round {done // len(systems) + 1} of {rounds}: {system.name}{left(done, total, began)}")
        figures = system.measure()
        tell("   " + ", ".join(f"{name} {show(value)}" for name, value in figures.items()))
        found[system.name].append(figures)
    return found


def left(done: int, total: int, began: float) -> str:
    """What is still to come, in minutes, as a part of a sentence; nothing as long as it is unknown."""
    if not done:
        return ""
    minutes = (time.monotonic() - began) / done * (total - done) / 60
    return f" (about {minutes:.1f} minutes left)"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Ours by theirs, paired round by round."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def column(found: Sequence[Figures], name: str) -> list[float]:
    """One figure in all rounds."""
    return [figures[name] for figures in found]


def table(found: Found, pairs: Sequence[tuple[str, str]], compared: Sequence[str]) -> str:
    """Two tables in Markdown: medians of each system; and for each pair the ratios of the figures `compared`."""
    names = list(dict.fromkeys(name for rounds in found.values() for figures in rounds for name in figures))
    rows = [["system", *names]]
    for system, rounds in found.items():
        own = rounds[0]
        rows.append([system, *(show(statistics.median(column(rounds, name))) if name in own else "" for name in names)])
    tables = [markdown(rows)]
    if pairs:
        tables.append(
            markdown([["ratio within a round", "median", "smallest", "largest"], *_ratios(found, pairs, compared)])
        )
    return "\n\n".join(tables)


def _ratios(found: Found, pairs: Sequence[tuple[str, str]], compared: Sequence[str]) -> list[list[str]]:
    rows = []
    for ours, theirs in pairs:
        for name in compared:
            one = ratio(column(found[ours], name), column(found[theirs], name))
            shown = (f"{value:.2f}" for value in (one.median, one.smallest, one.largest))
            rows.append([f"{name}: {ours} / {theirs}", *shown])
    return rows


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table; the first is its head, and all columns but the first are numbers."""
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(
        "| "
        + " | ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        + " |"
        for row in [rows[0], rule, *rows[1:]]
    )


def show(value: float) -> str:
    """A figure with about four digits."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}" if value >= 1 else f"{value:.4f}"


def tell(text: str) -> None:
    """A line of progress, on standard error."""
    print(text, file=sys.stderr, flush=True)
