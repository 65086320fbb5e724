"""From TOML to a config; an unknown key is an error that names the nearest one, and all problems are told at once."""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from s2s.config.language import KIND, LanguageRunConfig
from s2s.config.run import BaseRunConfig, RunConfig
from s2s.config.section import Section
from s2s.errors import ConfigError

Kind = TypeVar("Kind", bound="Section")


def read_config(path: Path, overrides: Sequence[str] = ()) -> BaseRunConfig:
    """The run described by a TOML file and `section.key=value` overrides; ConfigError lists all problems at once."""
    return parse_run(read_document(path, overrides), str(path))


def read_document(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """A TOML file with `section.key=value` overrides, not checked yet; ConfigError when it is none."""
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    for override in overrides:
        _override(document, override)
    return document


def parse_run(document: Mapping[str, Any], place: str) -> BaseRunConfig:
    """The run that a document describes: of a language model where its model says so, else of an encoder-decoder."""
    model = document.get("model")
    kind = model.get("kind") if isinstance(model, Mapping) else None
    if kind is None:
        return parse(RunConfig, document, place)
    if kind == KIND:
        return parse(LanguageRunConfig, document, place)
    raise ConfigError(f'{place}: model.kind is "{KIND}", or left out for an encoder-decoder (it is {kind!r}).')


def parse(kind: type[Kind], document: Mapping[str, Any], place: str) -> Kind:
    """`document` checked against `kind`; `place` names its origin in errors."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        sentences = [f"{place}: {_sentence(kind, problem)}" for problem in error.errors()]
        raise ConfigError("\n".join(sentences)) from error


def to_document(config: Section) -> dict[str, Any]:
    """The config as plain dictionaries, without the keys that are not set; `parse` reads it back."""
    return config.model_dump(mode="json", exclude_none=True)


def _override(document: dict[str, Any], override: str) -> None:
    """Set one dotted key to a TOML value; a bare word counts as a string."""
    path, separator, text = override.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not separator or not all(keys):
        raise ConfigError(f"The override {override!r} is not of the form section.key=value.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    table = document
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"The override {override!r} goes through {key}, which is a value and no section.")
    table[keys[-1]] = value


def _sentence(kind: type[Section], problem: Mapping[str, Any]) -> str:
    """One problem that pydantic found, as a sentence with its dotted path, value and cure."""
    path = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        known = _keys(kind, path[:-1])
        nearest = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
        cure = f"did you mean {nearest[0]}?" if nearest else f"known keys here are {', '.join(known)}."
        return f"unknown key {'.'.join(path)}: {cure}"
    where = ".".join(path) or "the config"
    if problem["type"] == "missing":
        return f"{where} is missing."
    message = problem["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], dict) else f" (it is {problem['input']!r})"
    return f"{where}: {message}{shown}."


def _keys(kind: type[Section], path: Sequence[str]) -> list[str]:
    """The keys that the section at `path` below `kind` knows."""
    for name in path:
        annotation = kind.model_fields[name].annotation
        kind = next(part for part in (annotation, *get_args(annotation)) if _is_section(part))
    return list(kind.model_fields)


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)
