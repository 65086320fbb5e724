"""A prepared data set: what `s2s prepare` wrote, opened for reading and mapped into memory."""

import importlib.metadata
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import s2s
from s2s.config import BaseRunConfig
from s2s.data.codec import Codec, Kind
from s2s.data.segments import Segments
from s2s.errors import DataError
from s2s.files import sha256

VERSION = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class PreparedData(ABC):
    """The folder DATA: its manifest and its codec; parts are opened when they are asked for.

    `foreign` tells that the codec is a model's and not the data's own, so that the token ids on disk are void.
    """

    path: Path
    manifest: dict[str, Any]
    codec: Codec
    foreign: bool = False

    @abstractmethod
    def segments(self, name: str, config: BaseRunConfig | None = None) -> Segments:
        """The part train, dev, test or another one; with a config, as it wants them for training.

        DataError: the part is missing or damaged.
        """

    @abstractmethod
    def check(self, config: BaseRunConfig) -> None:
        """ConfigError: a model of that config cannot read the sources, or what it asks for has no effect on them.

        What will hardly be learned is warned of. DataError: the part train is missing or damaged.
        """

    @abstractmethod
    def with_codec(self, codec: Codec) -> "PreparedData":
        """The same segments as a model with that codec reads them."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of the codec."""
        return self.codec.languages

    def table(self, name: str) -> Any:
        """A part as an Arrow data set; DataError: it is missing or damaged."""
        from datasets import load_from_disk

        if name not in self.manifest["parts"]:
            raise DataError(f"{self.path} has no part {name}; it has {', '.join(self.manifest['parts'])}.")
        _check_files(self.path, self.manifest, name)
        return load_from_disk(str(self.path / name))


def format_name(kind: Kind) -> str:
    """What the manifest of prepared data of a kind calls itself."""
    return f"s2s {kind} data"


def open_data(path: Path) -> PreparedData:
    """The prepared data in a folder; DataError when it holds none or is damaged."""
    file = path / MANIFEST
    if not file.is_file():
        raise DataError(f"{path} is not prepared data: {MANIFEST} is missing. Make it with `s2s prepare`.")
    manifest = _read_manifest(file)
    _check_files(path, manifest, "tokenizer")
    if manifest["format"] == format_name("text"):
        from s2s.data.parallel_text import TextData

        return TextData.open(path, manifest)
    if manifest["format"] == format_name("monolingual"):
        from s2s.data.monolingual import MonolingualData

        return MonolingualData.open(path, manifest)
    from s2s.data.speech import SpeechData

    return SpeechData.open(path, manifest)


def describe_folder(folder: Path, kind: Kind, packages: Sequence[str]) -> dict[str, Any]:
    """What every manifest holds: the format, the hash of each file that is there, and the versions of packages."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    versions = {"s2s": s2s.__version__} | {name: importlib.metadata.version(name) for name in packages}
    return {
        "format": format_name(kind),
        "version": VERSION,
        "files": {str(path.relative_to(folder)): sha256(path) for path in files},
        "versions": versions,
    }


def _read_manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is damaged: it is not JSON. Prepare the data again.") from error
    known = tuple(map(format_name, get_args(Kind)))
    if not isinstance(manifest, dict) or manifest.get("format") not in known or manifest.get("version") != VERSION:
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
