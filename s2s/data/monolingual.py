"""Prepared text of one language: lines, as raw text and as ids of subwords."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from s2s.config import BaseRunConfig, LanguageRunConfig
from s2s.data.codec import Codec
from s2s.data.prepared import PreparedData
from s2s.data.segments import MULTIPLE
from s2s.errors import ConfigError
from s2s.text.monolingual import MonolingualCodec
from s2s.text.placeholders import Masks


@dataclass(frozen=True)
class MonolingualData(PreparedData):
    """Prepared text of one language."""

    codec: MonolingualCodec

    @classmethod
    def open(cls, path: Path, manifest: dict[str, Any]) -> "MonolingualData":
        """The text in a folder whose manifest was read."""
        return cls(path, manifest, MonolingualCodec.load(path / "tokenizer"))

    def segments(self, name: str, config: BaseRunConfig | None = None) -> "MonolingualSegments":
        """See `PreparedData`."""
        return MonolingualSegments(self.table(name), self.codec)

    def check(self, config: BaseRunConfig) -> None:
        """See `PreparedData`."""
        if not isinstance(config, LanguageRunConfig):
            raise ConfigError(
                f"{self.path} holds text of one language, from which only a language model learns. Set model.kind = "
                '"language-model", or name data that `s2s prepare text` or `s2s prepare audio` wrote.'
            )

    def with_codec(self, codec: Codec) -> "MonolingualData":
        """See `PreparedData`; ConfigError unless the tokenizer is the data's own."""
        assert isinstance(codec, MonolingualCodec)
        if codec.target.model != self.codec.target.model:
            raise ConfigError(f"{self.path} has another tokenizer than the model. Prepare it with --tokenizer MODEL.")
        return replace(self, codec=codec)


@dataclass(frozen=True)
class DrawnLines:
    """Lines as ids that end with EOS; there are no sources."""

    ids: list[list[int]]

    @cached_property
    def lengths(self) -> list[tuple[int, int]]:
        """See `Drawn`."""
        return [(0, len(line) - 1) for line in self.ids]

    def target(self, position: int) -> list[int]:
        """See `Drawn`."""
        return self.ids[position][:-1]

    def pair(self, position: int) -> tuple[list[int], list[int]]:
        """See `Drawn`."""
        return [], self.target(position)


@dataclass(frozen=True)
class MonolingualSegments:
    """The lines of one part; in `target_ids` each ends with EOS, so that the column is the running text."""

    table: Any
    codec: MonolingualCodec
    multiple: int = MULTIPLE
    budget: str = "batch_tokens"

    def __len__(self) -> int:
        return len(self.table)

    def draw(self, rows: Sequence[int], epoch: int | None) -> DrawnLines:
        """See `Segments`."""
        return DrawnLines(self.table.with_format("arrow")[list(rows)].column("target_ids").to_pylist())

    def name(self, row: int) -> str:
        """See `Segments`."""
        return str(self.table[row]["id"])

    def references(self) -> list[str]:
        """See `Segments`."""
        texts: list[str] = self.table.data.column("target").to_pylist()
        return texts

    def text(self, row: int, tokens: Sequence[int]) -> str:
        """See `Segments`."""
        return self.codec.decode(tokens, Masks())
