"""Hypotheses as `s2s evaluate` is given them: files, or standard input."""

import sys
from collections.abc import Sequence
from pathlib import Path

from s2s.errors import DataError, UsageError
from s2s.files import read_lines, split_lines

STANDARD_INPUT = "standard input"


def names_of(hypotheses: Sequence[str]) -> Sequence[str]:
    """The files that were named, or `-` for standard input where none was; UsageError when one is named twice."""
    if len(set(hypotheses)) < len(hypotheses):
        raise UsageError("One file of hypotheses is given twice: name each once.")
    return hypotheses or ("-",)


def read_hypotheses(name: str) -> tuple[str, list[str]]:
    """How the hypotheses are called, and all their lines; DataError for bytes that are not UTF-8."""
    return (STANDARD_INPUT, read_standard_input()) if name == "-" else (name, list(read_lines(Path(name))))


def read_standard_input() -> list[str]:
    """All lines of standard input; DataError for bytes that are not UTF-8."""
    lines = list(split_lines(sys.stdin.buffer))
    try:
        return [line.decode() for line in lines]
    except UnicodeDecodeError as error:
        raise DataError(f"{STANDARD_INPUT}, line {lines.index(error.object) + 1:,}: it is not valid UTF-8.") from error
