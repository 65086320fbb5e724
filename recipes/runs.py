"""What a training run says of itself, for the results of a recipe."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from recipes.corpora import ORIGIN
from recipes.results import Result
from s2s.data.prepared import PreparedData
from s2s.errors import UsageError
from s2s.files import sha256


def read_manifest(folder: Path, data: Path) -> dict[str, Any]:
    """What training wrote about the run; UsageError unless it has ended and was trained on this data."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise UsageError(f"{folder} is not a training run: manifest.json is missing.")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not manifest["finished"]:
        raise UsageError(f"The run {folder} has not ended: repeat the training command, which resumes it.")
    if manifest["data_sha256"] != sha256(data / "manifest.json"):
        raise UsageError(f"The run {folder} was trained on other data than {data}: its test part may have been seen.")
    return manifest


def describe(manifest: dict[str, Any], data: PreparedData) -> Result:
    """What was trained, on what, where and from which commit."""
    return {
        "corpus": corpus_name(data.path),
        "languages": "-".join(data.languages),
        "config": config_name(manifest["command"]),
        **{key: manifest[key] for key in ("seed", "minutes", "commit", "hardware", "threads", "versions")},
    }


def corpus_name(data: Path) -> str:
    """The recipe's name of the corpus, or that of the folder when `prepare.py` did not make it."""
    origin = data / ORIGIN
    return str(json.loads(origin.read_text(encoding="utf-8"))["corpus"]) if origin.is_file() else data.resolve().name


def config_name(arguments: Sequence[str]) -> str:
    """The config file of a training command and its overrides, apart from that of the seed."""
    overrides = [value for option, value in pairwise(arguments) if option == "--set"]
    overrides += [argument.removeprefix("--set=") for argument in arguments if argument.startswith("--set=")]
    files = [Path(argument).name for argument in arguments if argument.endswith(".toml")]
    return " ".join([*files, *(override for override in overrides if not override.startswith("seed="))])
