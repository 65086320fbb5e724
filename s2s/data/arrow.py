"""Prepared parts as Arrow files, written and read a block of rows at a time."""

from collections.abc import Iterator, Mapping
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


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of an Arrow file."""
    from datasets import Dataset

    for block in Dataset.from_file(str(path)).with_format("arrow").iter(BLOCK_ROWS):
        yield from block.to_pylist()


def save_part(path: Path, folder: Path) -> None:
    """The rows of an Arrow file as a data set in a folder of its own; its fingerprint is a function of the content."""
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    table = Dataset.from_file(str(path))
    Dataset(table.data, info=table.info, fingerprint=sha256(path)[:16]).save_to_disk(str(folder))


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
