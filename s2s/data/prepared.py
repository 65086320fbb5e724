"""A prepared data set: what `s2s prepare` wrote, opened for reading and mapped into memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from s2s.errors import DataError, ModelError
from s2s.text.tokenizers import Tokenizers

FORMAT = "s2s text data"
VERSION = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Split:
    """One part. `tokenizers` are given when the token ids on disk are those of others."""

    table: Any
    tokenizers: Tokenizers | None = None

    def __len__(self) -> int:
        return len(self.table)

    def column(self, name: Literal["id", "source", "target"]) -> list[str]:
        """A whole column of text; for dev and test parts, since it is held in memory."""
        values: list[str] = self.table.data.column(name).to_pylist()
        return values

    def texts(self, rows: Sequence[int]) -> list[tuple[str, str]]:
        """Raw source and target of the given rows."""
        found = self.table.with_format("arrow")[list(rows)]
        return list(zip(found.column("source").to_pylist(), found.column("target").to_pylist(), strict=True))

    def tokens(self, rows: Sequence[int]) -> list[tuple[list[int], list[int]]]:
        """Source ids (with EOS at their end) and target ids (without BOS and EOS) of the given rows."""
        if self.tokenizers is None:
            found = self.table.with_format("arrow")[list(rows)]
            columns = (found.column(name).to_pylist() for name in ("source_ids", "target_ids"))
            return list(zip(*columns, strict=True))
        return [encode_pair(self.tokenizers, source, target) for source, target in self.texts(rows)]


def encode_pair(tokenizers: Tokenizers, source: str, target: str) -> tuple[list[int], list[int]]:
    """Source ids that end with EOS, and target ids without BOS and EOS, which share their masks."""
    source_ids, masks = tokenizers.encode_source(source)
    return source_ids, tokenizers.encode_target(target, masks)


@dataclass(frozen=True)
class PreparedData:
    """The folder DATA: its manifest and its tokenizers; parts are opened when they are asked for."""

    path: Path
    manifest: dict[str, Any]
    tokenizers: Tokenizers
    foreign: bool = False

    @classmethod
    def open(cls, path: Path) -> "PreparedData":
        """The prepared data in a folder; DataError when it holds none or is damaged."""
        file = path / MANIFEST
        if not file.is_file():
            raise DataError(f"{path} is not prepared data: {MANIFEST} is missing. Make it with `s2s prepare text`.")
        try:
            manifest = json.loads(file.read_bytes())
            known = (manifest["format"], manifest["version"]) == (FORMAT, VERSION)
            tokenizers = Tokenizers.load(path / "tokenizer")
        except (ValueError, KeyError, TypeError, ModelError) as error:
            raise DataError(f"{path} is damaged: {error}. Prepare it again.") from error
        if not known:
            raise DataError(f"{file} is not of this version of s2s. Prepare the data again.")
        return cls(path, manifest, tokenizers)

    @property
    def languages(self) -> tuple[str, str]:
        """Source and target language."""
        return self.tokenizers.languages

    def split(self, name: str) -> Split:
        """The part train, dev, test or another one; DataError when it is missing or damaged."""
        from datasets import Dataset, load_from_disk

        folder = self.path / name
        if name not in self.manifest["parts"] or not folder.is_dir():
            raise DataError(f"{self.path} has no part {name}; it has {', '.join(self.manifest['parts'])}.")
        try:
            table = load_from_disk(str(folder))
        except Exception as error:
            raise DataError(f"{folder} is damaged: {error}. Prepare the data again.") from error
        assert isinstance(table, Dataset)
        return Split(table, self.tokenizers if self.foreign else None)

    def with_tokenizers(self, tokenizers: Tokenizers) -> "PreparedData":
        """The same text in the tokens of a model's tokenizers; it is encoded anew where they are not the data's own."""
        models = [(pair.source.model, pair.target.model) for pair in (tokenizers, self.tokenizers)]
        return self if models[0] == models[1] else replace(self, tokenizers=tokenizers, foreign=True)
