"""Corpora of any size for measurements, made of a real one: a function of its lines, the size and seed 1 alone."""

import gzip
import random
from collections.abc import Iterable
from pathlib import Path

from boundary import BenchError

SEED = 1
OTHERS = {"dev": 1000, "test": 1000}
"""Pairs of the parts that are as large with any corpus."""


def generate(source: Path, target: Path, pairs: int, folder: Path) -> list[str]:
    """Write parallel files of so many training pairs, and a thousand pairs for dev and test each.

    Given are two files with a sentence a line (plain or .gz). Returned are the options of `s2s prepare text` that name
    what was written. Each line is two sentences drawn at random and the number of the line.
    """
    sides = [read_lines(path) for path in (source, target)]
    if len(sides[0]) != len(sides[1]) or not sides[0]:
        raise BenchError(
            f"{source} has {len(sides[0]):,} lines and {target} {len(sides[1]):,}. Give two files of as many lines."
        )
    draw, first = random.Random(SEED), 1
    options: list[str] = []
    for part, size in {"train": pairs, **OTHERS}.items():
        rows = [(draw.randrange(len(sides[0])), draw.randrange(len(sides[0]))) for _ in range(size)]
        files = [folder / f"{part}.source", folder / f"{part}.target"]
        for side, file in zip(sides, files, strict=True):
            write(file, (f"{side[one]} {side[other]} {n}" for n, (one, other) in enumerate(rows, first)))
        options += [f"--{part}", *map(str, files)]
        first += size
    return options


def write(path: Path, lines: Iterable[str]) -> None:
    """Write a text."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def read_lines(path: Path) -> list[str]:
    """The lines of a text; BenchError when it cannot be read."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return data.decode("utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"{path} cannot be read as a text: {error}.") from error
