"""A prepared data set that is written in a moment: strings of digits and their reverse."""

import random
from pathlib import Path

from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.text.readers import Side

SIZES = {"train": 300, "dev": 20, "test": 20}


def write_pairs(folder: Path, sizes: dict[str, int] | None = None, longest: int = 6) -> dict[str, tuple[Side, Side]]:
    """Two plain files per part: words of digits, and the same words in reverse order."""
    draw = random.Random(1)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {}
    for part, count in (sizes or SIZES).items():
        words = [[str(draw.randrange(10)) for _ in range(draw.randint(1, longest))] for _ in range(count)]
        files = folder / f"{part}.ahead", folder / f"{part}.back"
        files[0].write_text("".join(" ".join(line) + "\n" for line in words))
        files[1].write_text("".join(" ".join(reversed(line)) + "\n" for line in words))
        parts[part] = Side(str(files[0])), Side(str(files[1]))
    return parts


def prepare_digits(folder: Path, sizes: dict[str, int] | None = None) -> Path:
    """The prepared data set, in characters, below `folder`."""
    output = folder / "data"
    parts = write_pairs(folder / "text", sizes)
    prepare_text(PrepareTextOptions(parts, ("ahead", "back"), output, units="characters"))
    return output
