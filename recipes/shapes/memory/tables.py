"""The tables of this recipe's README, generated from its results.json."""

from collections.abc import Sequence
from statistics import mean
from typing import Any

from recipes.results import Result, table
from recipes.shapes.memory.gradients import FAR
from recipes.shapes.tables import runs


def tables(results: list[Result], ablations: list[Result]) -> dict[str, str]:
    """The generated parts of the README by the name of their markers."""
    return {
        "results": accuracies(results),
        "runs": runs(results),
        "cells": cells(results),
        "clipping": clipping(results),
    }


def cells_of(results: Sequence[Result]) -> list[str]:
    """The cells of any of the results: those of a seed that was measured earlier may be fewer."""
    return list(dict.fromkeys(cell for one in results for cell in one["cells"]))


def accuracies(results: list[Result]) -> str:
    """What is recalled, a row for each cell and a column for each delay."""
    if not results:
        return ""
    rows = []
    for name in (*cells_of(results), "chance"):
        own = [one["parts"] for one in results if name == "chance" or name in one["cells"]]
        rows.append([name, *(_spread([one[part]["systems"][name]["accuracy"] for one in own]) for part in own[0])])
    parts = results[0]["parts"]
    how = sorted({(one["headline"]["metric"], one["headline"]["signature"]) for one in results})
    return "\n".join([table(["cell", *parts], rows), "", *(f"- {name}: `{text}`" for name, text in how)])


def cells(results: list[Result]) -> str:
    """Weights, gates and the reach of gradients, before and after training."""
    header = ["cell", "weights", "kept by the gate", "after training", "gradient below 1 % from", "after training"]
    rows: list[list[Any]] = []
    for cell in cells_of(results):
        own = [one["cells"][cell] for one in results if cell in one["cells"]]
        found: dict[str, list[str]] = {}
        for when in ("before", "after"):
            ones = [one[when] for one in own]
            found[when] = ["-" if ones[0]["gate"] is None else f"{mean(one['gate'] for one in ones):.2f}"]
            found[when].append(_distance([one["reach"] for one in ones]))
        rows.append([cell, f"{own[0]['weights']:,}", *(found[when][n] for n in (0, 1) for when in ("before", "after"))])
    return table(header, rows)


def clipping(results: list[Result]) -> str:
    """What plain gradient descent comes to with and without clipping, seed by seed."""
    rows = []
    for name, ways in results[0]["clipping"].items() if results else ():
        for way in ways:
            found = [one["clipping"][name][way] for one in results]
            scores = ["no number" if one["accuracy"] is None else f"{one['accuracy']:.1f}" for one in found]
            rows.append([name, way, ", ".join(scores), ", ".join(map(_norm, found))])
    return table(["cell", "gradients", "accuracy, seed by seed", "largest norm before clipping"], rows)


def _norm(found: Result) -> str:
    """The largest norm; none where the first gradient was no number."""
    return "-" if found["largest norm"] is None else f"{found['largest norm']:.3g}"


def _spread(values: list[float]) -> str:
    if len(values) == 1 or min(values) == max(values):
        return f"{values[0]:.1f}"
    return f"{mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def _distance(values: list[int]) -> str:
    if min(values) > FAR:
        return f"not within {FAR} steps"
    return f"{min(values)} to {max(values)} steps" if min(values) != max(values) else f"{values[0]} steps"
