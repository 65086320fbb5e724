"""The tables of this recipe's README, generated from its results.json, ablations.json and cells.json."""

import json
from collections import Counter
from pathlib import Path
from statistics import mean, median
from typing import Any

from recipes.ablations import ablation_table
from recipes.results import Result, runs_table, sample_tables, table

CELLS = Path(__file__).resolve().parent / "cells.json"
FLAVOURS = ("lowercased", "lowercased, tokenised by intl")


def tables(results: list[Result], ablations: list[Result]) -> dict[str, str]:
    """The generated parts of the README by the name of their markers."""
    return {
        "results": results_table(results),
        "runs": runs_table(results, "placeholders lost", _placeholders),
        "samples": sample_tables(results, ["source", "translation", "reference"]),
        "ablations": ablation_table(ablations),
        "cells": cells_table(json.loads(CELLS.read_text(encoding="utf-8"))),
    }


def cells_table(found: Result) -> str:
    """A row for each cell: its parameters, speeds beside those of the first cell, and BLEU over seeds."""
    scores, speeds = (_by_cell(found[key]) for key in ("scores", "speeds"))
    (first, rounds), *_ = speeds.items()
    parts = list(scores[first][0]["parts"])
    header = ["cell", "parameters", "training, tokens/s", f"to {first}", "translating, segments/s", f"to {first}"]
    header += [f"BLEU, {part}" for part in parts]
    rows = []
    for cell, runs in scores.items():
        row: list[object] = [cell, f"{runs[0]['parameters']:,}"]
        for kind in ("training", "decoding"):
            ratios = [own[kind] / other[kind] for own, other in zip(speeds[cell], rounds, strict=True)]
            row += [f"{median(own[kind] for own in speeds[cell]):,.0f}", f"{median(ratios):.2f}"]
        rows.append([*row, *(_over_seeds([run["parts"][part]["score"] for run in runs]) for part in parts)])
    signatures = {score["signature"]: None for run in found["scores"] for score in run["parts"].values()}
    return "\n".join([table(header, rows), "", *(f"- BLEU: `{signature}`" for signature in signatures)])


def _by_cell(records: list[Result]) -> dict[str, list[Result]]:
    grouped: dict[str, list[Result]] = {}
    for one in records:
        grouped.setdefault(one["cell"], []).append(one)
    return grouped


def _over_seeds(values: list[float]) -> str:
    return f"{mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def results_table(results: list[Result]) -> str:
    """Scores of the model and the baselines, a row for each test part, and the signatures below."""
    header = ["corpus", "config", "seed", "part", "BLEU", "chrF2", "TER", "copy", "nearest", "lowercased", "lc, intl"]
    parts = [(result, name, part) for result in results for name, part in result["parts"].items()]
    rows = [
        [
            f"{result['corpus']} {result['languages']}",
            f"`{result['config']}`",
            result["seed"],
            name,
            *(_value(part["systems"]["model"][metric]) for metric in ("bleu", "chrf", "ter")),
            *(f"{part['systems'][baseline]['bleu']['score']:.2f}" for baseline in ("copy", "nearest")),
            *(_flavour(part["flavours"].get(name)) for name in FLAVOURS),
        ]
        for result, name, part in parts
    ]
    return "\n".join([table(header, rows), "", *_signatures(parts)])


def _flavour(score: dict[str, Any] | None) -> str:
    return "-" if score is None else f"{score['score']:.2f}"


def _value(score: dict[str, Any]) -> str:
    return f"{score['score']:.2f} ± {score['confidence_95']:.2f}"


def _signatures(parts: list[tuple[Result, str, dict[str, Any]]]) -> list[str]:
    """Each signature once, with the columns that it belongs to, and the languages where it is not that of all."""
    named = {"BLEU": "bleu", "chrF2": "chrf", "TER": "ter"}
    found: dict[tuple[str, str], set[str]] = {}
    for result, _, part in parts:
        model = part["systems"]["model"]
        signed = {name: model[metric] for name, metric in named.items()}
        signed |= {f"BLEU, {name}": part["flavours"][name] for name in FLAVOURS if name in part["flavours"]}
        for name, score in signed.items():
            found.setdefault((name, score["signature"]), set()).add(result["languages"])
    several = Counter(name for name, _ in found)
    lines = []
    for (name, signature), languages in found.items():
        where = f" ({', '.join(sorted(languages))})" if several[name] > 1 else ""
        lines.append(f"- {name}{where}: `{signature}`")
    return lines


def _placeholders(result: Result) -> str:
    counts = [part["placeholders"] for part in result["parts"].values()]
    lost, invented, expected = (sum(count[key] for count in counts) for key in ("lost", "invented", "expected"))
    return f"{lost} of {expected}, {invented} invented"
