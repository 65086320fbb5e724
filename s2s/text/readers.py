"""One side of a parallel corpus as a stream of lines, from whatever kind of file or data set it lies in."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from s2s.errors import DataError, UsageError
from s2s.files import read_lines
from s2s.log import say

DATASET = "datasets:"
HUB_TIMEOUT = 10
"""Seconds in which the hub must answer at all."""
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
        if self.spec.startswith(DATASET):
            return _fields(_dataset_rows(place), column, place)
        path = Path(place)
        kind = place.removesuffix(".gz")
        if kind.endswith(".tsv"):
            return _columns(path, column)
        return _fields(_json_rows(path), column, place) if kind.endswith(".jsonl") else read_lines(path)

    def check(self) -> tuple[str, str]:
        """Where the side lies, and its column or field (empty for plain files).

        UsageError: the spec is none, or there is no such file; data sets are not looked for.
        """
        spec = self.spec.removeprefix(DATASET)
        place, mark, column = (spec, "", "") if Path(self.spec).is_file() else _split_last(spec, "#")
        structured = spec != self.spec or place.removesuffix(".gz").endswith((".tsv", ".jsonl"))
        if structured and not column:
            raise UsageError(f"{self.spec} names no column or field. A side of a corpus is given as {FORMS}.")
        if mark and not structured:
            raise UsageError(f"{self.spec} names a column of a plain file. A side of a corpus is given as {FORMS}.")
        if spec == self.spec and not Path(place).is_file():
            raise UsageError(f"There is no file {place}. A side of a corpus is given as {FORMS}.")
        return place, column


def _split_last(text: str, mark: str) -> tuple[str, str, str]:
    """What stands before and after the last mark; all of it stands before when there is none."""
    before, found, after = text.rpartition(mark)
    return (before, found, after) if found else (text, "", "")


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


def _dataset_rows(place: str) -> Iterator[Any]:
    """The rows of one part of a data set."""
    name, _, split = _split_last(place, "@")
    from datasets import DatasetDict

    loaded = _load_dataset(name)
    if isinstance(loaded, DatasetDict):
        if split not in loaded:
            wrong = f"no split {split}" if split else "several splits"
            raise UsageError(f"The data set {name} has {wrong}: name one of {', '.join(map(str, loaded))} as {FORMS}.")
        return iter(loaded[split])
    if split:
        raise UsageError(f"The data set {name} has no splits: leave out @{split}.")
    return iter(loaded)


def _load_dataset(name: str) -> Any:
    """What `save_to_disk` wrote into a folder, or whatever `load_dataset` finds by that name."""
    import datasets

    datasets.disable_progress_bars()
    folder = Path(name)
    try:
        if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
            return datasets.load_from_disk(name)
        if folder.is_dir():
            return datasets.load_dataset(name)
        say(f"looking for {name} on the Hugging Face hub")
        _reach_hub()
        path, _, config = name.partition(":")
        return datasets.load_dataset(path, config or None)
    except Exception as error:  # its loaders raise whatever their formats and the network do
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].removesuffix(".")
        raise DataError(
            f"The data set {name} cannot be loaded: {reason}. HF_HUB_OFFLINE=1 uses what was downloaded before. "
            "Without a network, download it elsewhere and give its folder."
        ) from error


def _reach_hub() -> None:
    """OSError when the hub does not answer; its own client would try again for a minute or more."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return
    with suppress(HTTPError):  # which is an answer
        urllib.request.urlopen(constants.ENDPOINT, timeout=HUB_TIMEOUT).close()
