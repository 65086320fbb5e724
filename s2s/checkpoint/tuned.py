"""Settings of the search that `s2s tune` found, in a file beside the model that they are the defaults of."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from s2s.checkpoint.record import RECORD, Printable, check_version, read_json
from s2s.config import DecodingConfig, Section, to_document
from s2s.errors import ModelError
from s2s.files import write_json

FILE = "decoding.json"


class TunedSearch(Section):
    """Settings with their score on the part `part` of prepared data, whose manifest has the SHA-256 `data`.

    `before` is the score of the settings that the model had. `lm` is the identity of the language model that took part.
    """

    decoding: DecodingConfig
    metric: Printable
    value: float
    before: float
    signature: Printable
    part: Printable
    data: Printable
    lm: Printable | None = None


class Tuned(Section):
    """What was found for the model alone, and with a language model."""

    format: Literal["s2s decoding"] = "s2s decoding"
    version: Literal[1] = 1
    alone: TunedSearch | None = None
    with_lm: TunedSearch | None = None


def read_tuned(folder: Path) -> Tuned:
    """What was found for the model in a folder, empty where nothing was; ModelError when the file is damaged."""
    path = folder / FILE
    if not path.is_file():
        return Tuned()
    document = read_json(path)
    check_version(path, document, "s2s decoding")
    try:
        return Tuned.model_validate(document)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        raise ModelError(f"{path} cannot be used: {'; '.join(problems)}. Remove it.") from error


def keep_tuned(folder: Path, found: TunedSearch) -> Path:
    """Write what was found beside what is there, and return the file."""
    changed = {"with_lm" if found.lm else "alone": found}
    write_json(folder / FILE, to_document(read_tuned(folder).model_copy(update=changed)))
    return folder / FILE


def identity(folder: Path) -> str:
    """The SHA-256 of the record of the model in a folder, which holds those of all its files."""
    return hashlib.sha256((folder / RECORD).read_bytes()).hexdigest()
