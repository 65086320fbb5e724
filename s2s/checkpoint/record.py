"""What stands in `model.json`, and the checks that a folder holds the files that it names."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from s2s.config import AnyModelConfig, Count, DecodingConfig, Section
from s2s.errors import ModelError

WEIGHTS = "model.safetensors"
GRAPHS = ENCODER, STEP = "encoder.onnx", "step.onnx"
RECORD = "model.json"
FORMAT_VERSION = 1
MAX_JSON_BYTES = 16 * 2**20

Format = Literal["s2s model", "s2s onnx model"]
NEEDED: dict[Format, tuple[str, ...]] = {"s2s model": (WEIGHTS,), "s2s onnx model": GRAPHS}
"""What a folder of each format holds beside its record and the files of its codec."""

Natural = Annotated[int, Field(ge=0)]


def _printable(text: str) -> str:
    """The text, unless it could play tricks on a terminal."""
    if not text.isprintable():
        raise ValueError("it holds characters that cannot be printed")
    return text


Printable = Annotated[str, AfterValidator(_printable)]


class FileRecord(Section):
    """Size in bytes and SHA-256 (hexadecimal) of one file."""

    size: Natural
    sha256: Printable


class DevScore(Section):
    """One score on the development part; the signature says how it was computed."""

    metric: Printable
    value: float
    signature: Printable | None = None


class TrainingSummary(Section):
    """How a model came to be.

    `data` is the SHA-256 of the manifest of its data; `averaged` names the models that it is a mean of.
    """

    updates: Natural
    seed: Natural
    data: Printable
    segments: Natural | None = None
    minutes: float | None = None
    dev: tuple[DevScore, ...] = ()
    averaged: tuple[Printable, ...] = ()


class ModelInfo(Section):
    """The whole of `model.json`: with it and the files that it names, a model can be built, checked and used.

    `format` tells whether the folder holds weights, or graphs that `s2s export` made of them. `kind` tells what sources
    are made of; `source_size` counts entries of a vocabulary, or features of a frame. A language model has no
    `decoding`, since it searches for nothing.
    """

    format: Format = "s2s model"
    version: Literal[1] = 1
    kind: Literal["text", "audio", "monolingual"] = "text"
    written_by: Printable
    languages: Annotated[tuple[Printable, ...], Field(min_length=1, max_length=2)]
    source_size: Count
    target_size: Count
    parameters: Natural
    model: AnyModelConfig
    decoding: DecodingConfig | None = None
    training: TrainingSummary
    files: dict[str, FileRecord]


def read_info(folder: Path) -> ModelInfo:
    """`model.json` of a model directory, with nothing else read; ModelError when it cannot be used."""
    path = folder / RECORD
    document = read_json(path)
    check_version(path, document, *NEEDED)
    try:
        info = ModelInfo.model_validate(document)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        raise ModelError(f"{path} cannot be used: {'; '.join(problems)}.") from error
    check_names(path, info.files)
    if missing := [name for name in NEEDED[info.format] if name not in info.files]:
        raise ModelError(f"{path} does not name {' and '.join(missing)}. Copy the whole folder again.")
    return info


def verify(folder: Path, info: ModelInfo, skip: str | None = None) -> None:
    """ModelError unless every file that the record names (but for `skip`) has the recorded bytes."""
    for name, record in info.files.items():
        if name != skip:
            read_verified(folder, name, record)


def describe(folder: Path, names: list[str]) -> dict[str, FileRecord]:
    """Size and SHA-256 of files in a folder."""
    records = {}
    for name in names:
        data = (folder / name).read_bytes()
        records[name] = FileRecord(size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return records


def read_verified(folder: Path, name: str, record: FileRecord) -> bytes:
    """The bytes of a file, which are those that were recorded; ModelError names the file if they are not."""
    path = folder / name
    check_size(path, record)
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise ModelError(f"{path} was changed or damaged: its SHA-256 is not the recorded one. Copy it again.")
    return data


def check_size(path: Path, record: FileRecord) -> None:
    """ModelError unless the file is there and has the recorded size."""
    if not path.is_file():
        raise ModelError(f"{path.parent} is incomplete: {path.name} is missing. Copy the whole folder again.")
    size = path.stat().st_size
    if size != record.size:
        raise ModelError(f"{path} has {size:,} bytes instead of the recorded {record.size:,}. Copy it again.")


def check_names(path: Path, files: dict[str, FileRecord]) -> None:
    """ModelError unless every name is that of a file beside `path`, so that nothing outside of its folder is read."""
    for name in files:
        if not name or name in (".", "..") or not name.isprintable() or any(mark in name for mark in '/\\:"'):
            raise ModelError(f"{path} names the file {name!r}, which is not a plain file name. Do not use this model.")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of at most 16 MiB; ModelError names the file when it is something else."""
    try:
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise ModelError(f"{path} has {size:,} bytes, more than the {MAX_JSON_BYTES:,} that such a file may have.")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise ModelError(f"{path} does not hold a JSON object.")
    return document


def check_version(path: Path, document: dict[str, Any], *names: str) -> None:
    """ModelError unless the document calls itself by one of `names`, in a format version that this code knows."""
    if document.get("format") not in names:
        raise ModelError(f"{path} is not the record of an {names[0]}: its format is {document.get('format')!r}.")
    version = document.get("version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise ModelError(
            f"{path} has format version {version!r}, but this s2s reads version {FORMAT_VERSION}. "
            "Install the version of s2s that wrote it."
        )
