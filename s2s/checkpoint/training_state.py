"""What training needs, beside the model directory, to go on as if it had never stopped: tensors and JSON, no pickle."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from s2s.checkpoint.record import FORMAT_VERSION, FileRecord, check_version, describe, read_json, read_verified
from s2s.checkpoint.tensors import from_bytes, to_bytes
from s2s.errors import ModelError
from s2s.files import write_bytes, write_json

TENSORS = "training.safetensors"
RECORD = "training.json"
NAME = "s2s training state"


def save_training_state(folder: Path, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
    """Write tensors of any type and a JSON object (finite numbers only) into an existing folder."""
    write_bytes(folder / TENSORS, to_bytes(tensors))
    document = {
        "format": NAME,
        "version": FORMAT_VERSION,
        "file": describe(folder, [TENSORS])[TENSORS].model_dump(),
        "record": dict(record),
        "record_sha256": _digest(record),
    }
    write_json(folder / RECORD, document)


def load_training_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors, on the CPU, and the JSON object; ModelError names the file that is missing or damaged."""
    path = folder / RECORD
    document = read_json(path)
    check_version(path, document, NAME)
    record = document.get("record")
    try:
        file = FileRecord.model_validate(document.get("file"))
    except ValidationError as error:
        raise ModelError(f"{path} does not describe {TENSORS}.") from error
    if not isinstance(record, dict) or _digest(record) != document.get("record_sha256"):
        raise ModelError(f"{path} was changed or damaged: its SHA-256 is not the recorded one.")
    return from_bytes(read_verified(folder, TENSORS, file), folder / TENSORS), record


def _digest(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
