"""Recorded results and the tables generated from them."""

from pathlib import Path
from typing import Any

import pytest

from recipes.results import fill, filled, overview, read_results, record, short_commit, table
from s2s.errors import DataError


def result(seed: int = 1, score: float = 30.0, **changes: Any) -> dict[str, Any]:
    """One recorded result."""
    return {
        "corpus": "ui_strings",
        "languages": "en-de",
        "config": "ui_strings.toml",
        "seed": seed,
        "minutes": 9.0 + seed,
        "hardware": "a processor",
        "threads": 2,
        "commit": "0123456789abcdef",
        "headline": {"metric": "BLEU", "score": score},
        **changes,
    }


def test_a_result_replaces_the_one_of_the_same_run_only(tmp_path: Path) -> None:
    """Corpus, languages, config and seed are the key; the file is sorted by it."""
    path = tmp_path / "results.json"
    assert read_results(path) == []
    for new in (
        result(2),
        result(1),
        result(2, score=31.0),
        result(1, config="other.toml"),
        result(1, languages="de-en"),
    ):
        record(path, new)
    found = [(r["languages"], r["config"], r["seed"], r["headline"]["score"]) for r in read_results(path)]
    assert found == [
        ("de-en", "ui_strings.toml", 1, 30.0),
        ("en-de", "other.toml", 1, 30.0),
        ("en-de", "ui_strings.toml", 1, 30.0),
        ("en-de", "ui_strings.toml", 2, 31.0),
    ]


def test_the_overview_has_a_row_for_each_data_set_and_config() -> None:
    """Mean and range over seeds; a single seed has no range."""
    results = {"translation": [result(1, 30.0), result(2, 31.0), result(1, 20.0, languages="en-ja")]}
    _, _, german, japanese = overview(results).split("\n")
    assert "| BLEU 30.50 (2 seeds: 30.00 to 31.00) | 10.5 min | a processor, 2 threads | `0123456789` |" in german
    assert "| BLEU 20.00 | 10.0 min |" in japanese


def test_text_is_put_between_its_markers_only(tmp_path: Path) -> None:
    """What people wrote around it stays; without markers nothing is written."""
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- runs -->\nold\nold\n<!-- end of runs -->\nafter\n")
    fill(path, "runs", "new")
    assert path.read_text() == "before\n<!-- runs -->\nnew\n<!-- end of runs -->\nafter\n"
    with pytest.raises(DataError, match="<!-- samples -->"):
        fill(path, "samples", "new")
    assert filled(path.read_text(), "runs", "new", path) == path.read_text()


def test_cells_cannot_break_a_table() -> None:
    """Bars and line ends in texts."""
    assert table(["a"], [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |"


def test_commits_are_shortened_with_their_mark() -> None:
    """A run from changed files is not that of its commit."""
    assert short_commit("0123456789abcdef+changes") == "`0123456789+changes`"
    assert short_commit(None) == "-"
