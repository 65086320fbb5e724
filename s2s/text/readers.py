"""One side of a parallel corpus as a stream of lines, from whatever kind of file or data set it lies in."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.errors import DataError, UsageError
from s2s.files import read_lines

DATASET = "datasets:"
HUB_TIMEOUT = "10"  # seconds
FORMS = "FILE, FILE.tsv#COLUMN, FILE.jsonl#FIELD or datasets:NAME@SPLIT#FIELD"


@dataclass(frozen=True)
class Side:
    """One side of a corpus, as named on the command line.

    - `train.de` or `train.de.gz`: a line is a segment;
    - `pairs.tsv#1`: column 1 of a table without a header;
    - `pairs.jsonl#translation.de`: a field, here one within a field, of each object;
    - `datasets:NAME@SPLIT#FIELD`: the same of a data set that `datasets` finds, a local folder or one on the hub.
    """

    spec: str

    def __iter__(self) -> Iterator[str]:
        """The segments; DataError names file and line of what cannot be read, UsageError a spec that is none."""
        place, column = self.parts
        if self.spec.startswith(DATASET):
            return _fields(_dataset_rows(place), column, place)
        if not Path(place).is_file():
            raise UsageError(f"There is no file {place}. A side of a corpus is given as {FORMS}.")
        if not column:
            return read_lines(Path(place))
        if place.removesuffix(".gz").endswith(".tsv"):
            return _columns(Path(place), column)
        return _fields(_json_rows(Path(place)), column, place)

    @property
    def parts(self) -> tuple[str, str]:
        """Where the side lies, and its column or field (empty for plain files)."""
        spec = self.spec.removeprefix(DATASET)
        if spec == self.spec and Path(spec).is_file():
            return spec, ""
        place, _, column = spec.partition("#")
        if not column and (spec != self.spec or place.removesuffix(".gz").endswith((".tsv", ".jsonl"))):
            raise UsageError(f"{self.spec} names no column or field. A side of a corpus is given as {FORMS}.")
        return place, column

    @property
    def file(self) -> Path | None:
        """The file that the side lies in, None for a data set."""
        return None if self.spec.startswith(DATASET) else Path(self.parts[0])


def read_pairs(source: Side, target: Side) -> Iterator[tuple[str, str]]:
    """Source and target of each segment in turn; DataError at the end when one side has more segments."""
    sides = iter(source), iter(target)
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
        raise DataError(
            f"{source.spec} has {counts[0]:,} lines but {target.spec} has {counts[1]:,}. Nothing was written."
        )


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
        yield value.replace("\r", " ").replace("\n", " ")


def _dataset_rows(place: str) -> Iterator[Any]:
    """The rows of a data set: a folder that `save_to_disk` wrote, or whatever `load_dataset` finds by that name."""
    name, _, split = place.partition("@")
    if not split:
        raise UsageError(f"{DATASET}{place} names no split. A side of a corpus is given as {FORMS}.")
    for variable in ("HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"):
        os.environ.setdefault(variable, HUB_TIMEOUT)
    import datasets

    datasets.disable_progress_bars()
    try:
        if (Path(name) / "dataset_dict.json").is_file() or (Path(name) / "state.json").is_file():
            loaded = datasets.load_from_disk(name)
            return iter(loaded[split] if isinstance(loaded, datasets.DatasetDict) else loaded)
        return iter(datasets.load_dataset(name, split=split))
    except Exception as error:  # its loaders raise whatever their formats and the network do
        raise DataError(
            f"The data set {name} (split {split}) cannot be loaded: {str(error).strip().splitlines()[0]} "
            "Without a network, download it elsewhere and give its folder."
        ) from error
