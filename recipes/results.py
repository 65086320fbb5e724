"""Recorded results of a recipe, and the tables in its README that are generated from them."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from s2s.errors import DataError
from s2s.files import write_json, write_text

Result = dict[str, Any]
KEY = ("corpus", "languages", "config", "seed")


def read_results(path: Path) -> list[Result]:
    """The results recorded so far; none without the file."""
    results: list[Result] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return results


def record(path: Path, result: Result) -> list[Result]:
    """Add a result to the file, in place of an earlier one of the same corpus, languages, config and seed."""
    others = [other for other in read_results(path) if _key(other) != _key(result)]
    results = sorted([*others, result], key=_key)
    write_json(path, results)
    return results


def _key(result: Result) -> tuple[Any, ...]:
    return tuple(result[part] for part in KEY)


def groups(results: Iterable[Result]) -> list[list[Result]]:
    """The results that differ in nothing but their seed, together."""
    grouped: dict[tuple[Any, ...], list[Result]] = defaultdict(list)
    for result in results:
        grouped[_key(result)[:-1]].append(result)
    return list(grouped.values())


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; bars and line ends inside a cell are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def runs_table(results: Iterable[Result], name: str, value: Callable[[Result], object]) -> str:
    """Where results come from, a row for each run, with one column of the recipe's own: its name and its value."""
    header = ["corpus", "config", "seed", "minutes", "threads", "hardware", "torch", name, "commit"]
    return table(
        header,
        [
            [
                f"{result['corpus']} {result['languages']}",
                f"`{result['config']}`",
                result["seed"],
                f"{result['minutes']:.1f}",
                result["threads"],
                result["hardware"],
                result["versions"]["torch"],
                value(result),
                short_commit(result["commit"]),
            ]
            for result in results
        ],
    )


def sample_tables(results: Iterable[Result], columns: Sequence[str]) -> str:
    """The samples of the first seed of each data set and config, in these columns."""
    sections = []
    for first, *_ in groups(results):
        title = f"{first['corpus']} {first['languages']}, `{first['config']}`, seed {first['seed']}:"
        rows = [[sample[column] for column in columns] for sample in first["samples"]]
        sections.append(f"{title}\n\n{table(columns, rows)}")
    return "\n\n".join(sections)


def fill(path: Path, name: str, text: str) -> None:
    """Put `text` between the markers `<!-- name -->` and `<!-- end of name -->` of a Markdown file."""
    write_text(path, filled(path.read_text(encoding="utf-8"), name, text, path))


def filled(document: str, name: str, text: str, path: Path) -> str:
    """The document with `text` between the markers; DataError when they are not there exactly once."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    if document.count(start) != 1 or document.count(end) != 1:
        raise DataError(f"{path} needs one line {start.strip()} and one line {end}: nothing was written.")
    head, _, rest = document.partition(start)
    return f"{head}{start}{text}\n{end}{rest.partition(end)[2]}"


def overview(results: dict[str, list[Result]]) -> str:
    """The table of all recipes: their results by folder name, one row for each data set and config."""
    header = ["recipe", "data", "config", "result on test", "training", "hardware", "commit"]
    rows = [_overview_row(recipe, group) for recipe, recorded in sorted(results.items()) for group in groups(recorded)]
    return table(header, rows)


def _overview_row(recipe: str, group: list[Result]) -> list[object]:
    first = group[0]
    scores = [result["headline"]["score"] for result in group]
    spread = f" ({len(scores)} seeds: {min(scores):.2f} to {max(scores):.2f})" if len(scores) > 1 else ""
    return [
        f"[{recipe}]({recipe}/README.md)",
        f"{first['corpus']} {first['languages']}",
        f"`{first['config']}`",
        f"{first['headline']['metric']} {mean(scores):.2f}{spread}",
        f"{mean(result['minutes'] for result in group):.1f} min",
        f"{first['hardware']}, {first['threads']} thread{'s' if first['threads'] != 1 else ''}",
        short_commit(first["commit"]),
    ]


def short_commit(commit: str | None) -> str:
    """The first ten letters of a commit, with its mark when files had changed; a dash without git."""
    if commit is None:
        return "-"
    name, plus, changes = commit.partition("+")
    return f"`{name[:10]}{plus}{changes}`"
