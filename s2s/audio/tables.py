"""Manifests in one file: a line of JSON, CSV or TSV for each utterance."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from s2s.audio.utterances import Utterance, make_utterance
from s2s.errors import DataError
from s2s.files import read_lines

COLUMNS = "id, audio, text, and where they are needed speaker, offset, duration (in seconds)"


def read_json_lines(path: Path, with_text: bool) -> Iterator[Utterance]:
    """The utterances of a file with an object on each line; DataError names the line that is none."""
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number:,}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place} is not JSON: {error}.") from error
        if not isinstance(record, dict):
            raise DataError(f"{place} is no object. It must have {COLUMNS}.")
        if with_text and "text" not in record:
            raise DataError(f"{place}: text is missing. An utterance has {COLUMNS}.")
        yield make_utterance(record, path.parent, place)


def read_table(path: Path, with_text: bool) -> Iterator[Utterance]:
    """The utterances of a table with a header, CSV or TSV; DataError names the line that cannot be used.

    In CSV, quotes stand around cells that hold commas; in TSV they are characters like others.
    """
    rows = (_tab_rows if path.name.removesuffix(".gz").endswith(".tsv") else _comma_rows)(path)
    _, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    for needed in ("id", "audio", "text") if with_text else ("id", "audio"):
        if names.count(needed) != 1:
            found = "stands twice" if needed in names else f"is missing (there are: {', '.join(names) or 'none'})"
            raise DataError(f"{path}, line 1: the column {needed} {found}. The columns are {COLUMNS}.")
    for number, cells in rows:
        if len(cells) != len(names):
            raise DataError(f"{path}, line {number:,} has {len(cells)} columns, but line 1 has {len(names)}.")
        yield make_utterance(_record(names, cells), path.parent, f"{path}, line {number:,}")


def _tab_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each line that has any."""
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            yield number, line.split("\t")


def _comma_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of the last line of each row that has cells, and those; a cell in quotes may go over several lines."""
    reader = csv.reader((f"{line}\n" for line in read_lines(path)), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num:,} is no row of a table: {error}.") from error


def _record(names: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """The cells of a row by name; seconds as numbers where they are, and nothing where the cell is empty."""
    record: dict[str, Any] = dict(zip(names, cells, strict=True))
    for name in ("offset", "duration"):
        cell = record.get(name, "").strip()
        record[name] = cell or None
        with suppress(ValueError):
            record[name] = float(cell)
    return record
