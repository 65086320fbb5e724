"""A small corpus with everything in it, and the data prepared from it, once."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from s2s.data.parallel_text import TextData, open_text
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.text.readers import Side

WORDS = [
    "der",
    "Hund",
    "läuft",
    "{name}",
    "Garten",
    "<b>",
    "</b>",
    "schön",
    "Straßen",
    "日本",
    "Lichter",
    "abends",
    "nie",
]
Pairs = list[tuple[str, str]]
Parts = dict[str, Pairs]


def segments(seed: int, count: int) -> Pairs:
    """Pairs of 1 to 12 words on each side; the target has the source's words in another order."""
    draw = random.Random(seed)
    pairs = []
    for number in range(count):
        source = draw.choices(WORDS, k=draw.randint(1, 12))
        target = draw.sample(source, k=len(source))
        pairs.append((" ".join(source), " ".join(target) + f" {number % 10}."))
    return pairs


PARTS: Parts = {"train": segments(1, 400), "dev": segments(2, 30), "test": segments(3, 20)}


def write_parts(folder: Path, parts: Parts) -> dict[str, tuple[Side, Side]]:
    """Each part as two plain files."""
    folder.mkdir(parents=True, exist_ok=True)
    sides = {}
    for name, pairs in parts.items():
        files = [folder / f"{name}.source", folder / f"{name}.target"]
        for side, file in enumerate(files):
            file.write_text("".join(pair[side] + "\n" for pair in pairs), encoding="utf-8")
        sides[name] = Side(str(files[0])), Side(str(files[1]))
    return sides


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., TextData]:
    """Prepared data of some parts, the standard ones where not given."""

    def run(parts: Parts | None = None, name: str = "data", **options: object) -> TextData:
        sides = write_parts(tmp_path / "text", PARTS | (parts or {}))
        prepare_text(PrepareTextOptions(sides, ("en", "de"), tmp_path / name, **options))
        return open_text(tmp_path / name)

    return run


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> TextData:
    """The standard data; only for reading."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare_text(PrepareTextOptions(write_parts(folder / "text", PARTS), ("en", "de"), folder / "data"))
    return open_text(folder / "data")
