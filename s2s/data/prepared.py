"""A prepared data set: what `s2s prepare` wrote, opened for reading and mapped into memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from s2s.errors import DataError
from s2s.files import sha256
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


def _read_manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is damaged: it is not JSON. Prepare the data again.") from error
    if not isinstance(manifest, dict) or (manifest.get("format"), manifest.get("version")) != (FORMAT, VERSION):
        raise DataError(f"{file} is not of this version of s2s. Prepare the data again.")
    if not all(isinstance(manifest.get(key), dict) for key in ("files", "parts")):
        raise DataError(f"{file} is damaged: it lacks files or parts. Prepare the data again.")
    return manifest


def _check_files(path: Path, manifest: dict[str, Any], folder: str) -> None:
    """DataError when a file of a folder of prepared data is missing, or is not the one that was written."""
    for name, written in manifest["files"].items():
        if not name.startswith(f"{folder}/"):
            continue
        file = path / name
        if not file.is_file():
            raise DataError(f"{file} is missing. Prepare the data again.")
        if sha256(file) != written:
            raise DataError(f"{file} is damaged: its SHA-256 is not that in {MANIFEST}. Prepare the data again.")


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
        manifest = _read_manifest(file)
        _check_files(path, manifest, "tokenizer")
        return cls(path, manifest, Tokenizers.load(path / "tokenizer"))

    @property
    def languages(self) -> tuple[str, str]:
        """Source and target language."""
        return self.tokenizers.languages

    def split(self, name: str) -> Split:
        """The part train, dev, test or another one; DataError when it is missing or damaged."""
        from datasets import load_from_disk

        if name not in self.manifest["parts"]:
            raise DataError(f"{self.path} has no part {name}; it has {', '.join(self.manifest['parts'])}.")
        _check_files(self.path, self.manifest, name)
        table = load_from_disk(str(self.path / name))
        return Split(table, self.tokenizers if self.foreign else None)

    def with_tokenizers(self, tokenizers: Tokenizers) -> "PreparedData":
        """The same text in the tokens of a model's tokenizers; it is encoded anew where they are not the data's own."""
        models = [(pair.source.model, pair.target.model) for pair in (tokenizers, self.tokenizers)]
        return self if models[0] == models[1] else replace(self, tokenizers=tokenizers, foreign=True)
