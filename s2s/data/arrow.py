"""Prepared parts as Arrow files, written and read a block of rows at a time."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from s2s.files import sha256

BLOCK_ROWS = 1000
Row = dict[str, Any]


def write_rows(path: Path, rows: Iterator[Row], columns: Mapping[str, Any]) -> None:
    """Rows to one Arrow file; `columns` give each its type (of `datasets`)."""
    from datasets import Features
    from datasets.arrow_writer import ArrowWriter

    with ArrowWriter(path=str(path), features=Features(dict(columns))) as writer:
        while block := list(islice(rows, BLOCK_ROWS)):
            writer.write_batch({name: [row[name] for row in block] for name in columns})
        writer.finalize()


def count_rows(path: Path) -> int:
    """The rows of an Arrow file; 0 where there is no whole one."""
    from datasets import Dataset

    try:
        return len(Dataset.from_file(str(path)))
    except (OSError, ValueError):  # of which those of Arrow are
        return 0


def read_rows(path: Path, start: int = 0, stop: int | None = None) -> Iterator[Row]:
    """The rows of an Arrow file, or those from `start` to `stop`."""
    from datasets import Dataset

    rows = Dataset.from_file(str(path))
    chosen = rows.select(range(start, len(rows) if stop is None else stop))
    for block in chosen.with_format("arrow").iter(BLOCK_ROWS):
        yield from block.to_pylist()


def save_part(paths: Sequence[Path], folder: Path) -> None:
    """The rows of Arrow files as a data set in a folder of its own; its fingerprint is a function of the content."""
    from datasets import Dataset, concatenate_datasets, disable_progress_bars

    disable_progress_bars()
    rows = concatenate_datasets([Dataset.from_file(str(path)) for path in paths])
    hashes = "".join(map(sha256, paths)).encode()
    Dataset(rows.data, info=rows.info, fingerprint=hashlib.sha256(hashes).hexdigest()[:16]).save_to_disk(str(folder))


def text_columns(*names: str) -> dict[str, Any]:
    """Columns of text."""
    from datasets import Value

    return {name: Value("string") for name in names}


def id_columns(*names: str) -> dict[str, Any]:
    """Columns of token ids."""
    from datasets import List, Value

    return {name: List(Value("int32")) for name in names}


def number_columns(*names: str) -> dict[str, Any]:
    """Columns of numbers, for instance of seconds; some may be missing."""
    from datasets import Value

    return {name: Value("float64") for name in names}
