"""One side of a parallel corpus as a stream of lines, from whatever kind of file or data set it lies in."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.errors import DataError, UsageError
from s2s.files import read_lines
from s2s.hub import PREFIX, cut, open_part

FORMS = "FILE, FILE.tsv#COLUMN, FILE.jsonl#FIELD or datasets:NAME@SPLIT#FIELD"


@dataclass(frozen=True)
class Side:
    """One side of a corpus, as named on the command line.

    - `train.de` or `train.de.gz`: a line is a segment;
    - `pairs.tsv#1`: column 1 of a table without a header;
    - `pairs.jsonl#translation.de`: a field, here one within a field, of each object;
    - `datasets:NAME@SPLIT#FIELD` or `datasets:NAME:CONFIG@SPLIT#FIELD`: the same of a data set on the hub, or in a
      local folder of Parquet or JSON files or one that `save_to_disk` wrote (no SPLIT when that holds a single part).
    """

    spec: str

    def __iter__(self) -> Iterator[str]:
        """The segments; DataError names file and line of what cannot be read, UsageError a spec that is none."""
        place, column = self.check()
        if self.spec.startswith(PREFIX):
            return _fields(iter(open_part(place, FORMS)[1]), column, place)
        path = Path(place)
        kind = place.removesuffix(".gz")
        if kind.endswith(".tsv"):
            return _columns(path, column)
        return _fields(_json_rows(path), column, place) if kind.endswith(".jsonl") else read_lines(path)

    def check(self) -> tuple[str, str]:
        """Where the side lies, and its column or field (empty for plain files).

        UsageError: the spec is none, or there is no such file; data sets are not looked for.
        """
        spec = self.spec.removeprefix(PREFIX)
        place, column = (spec, "") if Path(self.spec).is_file() else cut(spec, "#")
        structured = spec != self.spec or place.removesuffix(".gz").endswith((".tsv", ".jsonl"))
        if structured and not column:
            raise UsageError(f"{self.spec} names no column or field. A side of a corpus is given as {FORMS}.")
        if place != spec and not structured:
            raise UsageError(f"{self.spec} names a column of a plain file. A side of a corpus is given as {FORMS}.")
        if spec == self.spec and not Path(place).is_file():
            raise UsageError(f"There is no file {place}. A side of a corpus is given as {FORMS}.")
        return place, column

    def state(self) -> list[Any]:
        """What tells whether the side is as it was: its files, with their sizes and the times of their last changes.

        A data set on the hub may have changed unseen, so that its state is never the same.
        """
        place = Path(cut(self.check()[0], "@")[0] if self.spec.startswith(PREFIX) else self.check()[0])
        if not place.exists():
            return [self.spec, time.time_ns()]
        files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
        states = ((path.resolve(), path.stat()) for path in files)
        return [self.spec, *([str(path), found.st_size, found.st_mtime_ns] for path, found in states)]


def read_pairs(source: Side, target: Side) -> Iterator[tuple[str, str]]:
    """Source and target of each segment in turn; DataError at the end when one side has more segments.

    Both sides are opened at once, which may take a while and say so.
    """
    return _pairs(source.spec, iter(source), target.spec, iter(target))


def _pairs(
    source: str, source_lines: Iterator[str], target: str, target_lines: Iterator[str]
) -> Iterator[tuple[str, str]]:
    sides = source_lines, target_lines
    count = 0
    while True:
        pair = [next(side, None) for side in sides]
        if pair[0] is None or pair[1] is None:
            break
        count += 1
        yield pair[0], pair[1]
    extra = [sum(1 for _ in side) + (text is not None) for side, text in zip(sides, pair, strict=True)]
    if any(extra):
        counts = [count + more for more in extra]
        raise DataError(f"{source} has {counts[0]:,} lines but {target} has {counts[1]:,}. Nothing was written.")


def _columns(path: Path, column: str) -> Iterator[str]:
    if not column.isdecimal() or int(column) < 1:
        raise UsageError(f"{path}#{column}: a column of a table is a number from 1.")
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.split("\t")
        if len(cells) < int(column):
            raise DataError(f"{path}, line {number:,}: there is no column {column}, only {len(cells)}.")
        yield cells[int(column) - 1]


def _json_rows(path: Path) -> Iterator[Any]:
    for number, line in enumerate(read_lines(path), start=1):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number:,} is not JSON: {error}.") from error


def _fields(rows: Iterator[Any], path: str, place: str) -> Iterator[str]:
    """A dotted field of each row; line breaks within it become spaces, since a segment is one line."""
    for number, row in enumerate(rows, start=1):
        value = row
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, str):
            raise DataError(f"{place}, line {number:,}: the field {path} is missing or no text.")
        if not _is_unicode(value):
            raise DataError(f"{place}, line {number:,}: the field {path} holds half a surrogate pair.")
        yield value.replace("\r", " ").replace("\n", " ")


def _is_unicode(text: str) -> bool:
    r"""Whether a text can be written as UTF-8; JSON can smuggle in what cannot, such as `"\ud800"`."""
    try:
        return bool(text.encode()) or not text
    except UnicodeEncodeError:
        return False
