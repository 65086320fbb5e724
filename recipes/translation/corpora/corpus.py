"""What every corpus module returns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recipes.corpora import dropped_line
from s2s.files import write_text

Pair = tuple[str, str]
"""Source and target of one segment, each one line."""


@dataclass(frozen=True)
class Corpus:
    """A parallel corpus, split; `dropped` counts what cleaning took, by reason."""

    languages: tuple[str, str]
    licence: str
    parts: dict[str, Sequence[Pair]]
    dropped: Counter[str] = field(default_factory=Counter)

    def describe(self) -> str:
        """Counts in two lines for people."""
        sizes = ", ".join(f"{name} {len(pairs):,}" for name, pairs in self.parts.items())
        return f"{'-'.join(self.languages)}: {sizes} segments ({self.licence})\n{dropped_line(self.dropped)}"

    def write(self, folder: Path) -> dict[str, tuple[Path, Path]]:
        """Each part as two plain text files in `folder`, one segment a line; returns their paths by part."""
        paths = {}
        for name, pairs in self.parts.items():
            files = [folder / f"{name}.source.{self.languages[0]}", folder / f"{name}.target.{self.languages[1]}"]
            for side, file in enumerate(files):
                write_text(file, "".join(f"{pair[side]}\n" for pair in pairs))
            paths[name] = (files[0], files[1])
        return paths
