"""Transcripts from files: plain lines, or JSON Lines of id, text and speaker, which are matched by id."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.errors import DataError
from s2s.evaluation.scores import check_counts
from s2s.files import read_lines

NAMED_AT_MOST = 5
"""How many of many ids an error message names."""


@dataclass(frozen=True)
class Transcripts:
    """The texts of N segments, and of JSON Lines also their ids, all different, and their speakers where known.

    `name` is what messages call them.
    """

    name: str
    texts: list[str]
    ids: list[str] | None = None
    speakers: list[str | None] | None = None


def read_transcripts(name: str) -> Transcripts:
    """The transcripts of a file, plain or gzip; it holds JSON Lines if its name ends in `.jsonl` or `.jsonl.gz`.

    Each of its objects has an `id` and a `text` and may have a `speaker`; other keys are not regarded. DataError names
    file and line of what cannot be read or is missing, and of an id that comes twice; tables are refused.
    """
    if name.removesuffix(".gz").endswith((".csv", ".tsv")):
        raise DataError(f"{name} is a table by its name: give plain lines of text, or JSON Lines of id and text.")
    if not name.removesuffix(".gz").endswith(".jsonl"):
        return Transcripts(name, list(read_lines(Path(name))))
    texts, speakers = [], []
    lines: dict[str, int] = {}
    for number, row in enumerate(_rows(name), start=1):
        place = f"{name}, line {number:,}"
        identity = _name(row, "id", place)
        if identity is None:
            raise DataError(f"{place}: the field id is missing.")
        if identity in lines:
            raise DataError(f"{place}: the id {identity!r} stands on line {lines[identity]:,} already.")
        lines[identity] = number
        texts.append(_text(row, place))
        speakers.append(_name(row, "speaker", place))
    return Transcripts(name, texts, list(lines), speakers)


def match(references: Transcripts, systems: Sequence[Transcripts]) -> dict[str, list[str]]:
    """The texts of each system by its name, in the order of the references: by id where both have ids, else by line.

    DataError names ids that are missing or too many, in all systems at once, or unequal or zero numbers of lines.
    """
    problems = [problem for system in systems for problem in _differences(references, system)]
    if problems:
        raise DataError(f"{' '.join(problems)} Nothing was scored.")
    texts = {system.name: _in_order(references, system) for system in systems}
    counts = {name: len(lines) for name, lines in texts.items()}
    check_counts(counts | {references.name: len(references.texts)})
    return texts


def _rows(name: str) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(read_lines(Path(name)), start=1):
        place = f"{name}, line {number:,}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{place} is not JSON: {error.msg} at character {error.pos + 1:,}.") from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place} is not JSON that can be read: {error}.") from error
        if not isinstance(row, dict):
            raise DataError(f"{place} is no JSON object with id and text.")
        yield row


def _name(row: Mapping[str, Any], key: str, place: str) -> str | None:
    """An id or speaker as text; None where there is none."""
    value = row.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DataError(f"{place}: the field {key} is neither text nor a whole number.")
    return _checked(str(value), key, place)


def _text(row: Mapping[str, Any], place: str) -> str:
    value = row.get("text")
    if not isinstance(value, str):
        raise DataError(f"{place}: the field text is missing or no text.")
    return _checked(value, "text", place)


def _checked(value: str, key: str, place: str) -> str:
    """The value, unless it holds half a surrogate pair, which JSON can smuggle in and no output can take."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{place}: the field {key} holds half a surrogate pair.") from error
    return value


def _differences(references: Transcripts, system: Transcripts) -> Iterator[str]:
    if references.ids is None or system.ids is None:
        return
    theirs, ours = set(system.ids), set(references.ids)
    missing = [identity for identity in references.ids if identity not in theirs]
    extra = [identity for identity in system.ids if identity not in ours]
    if missing:
        yield f"{system.name} lacks {_listed(missing)}, which {references.name} has."
    if extra:
        yield f"{system.name} has {_listed(extra)}, which {references.name} lacks."


def _listed(ids: Sequence[str]) -> str:
    named = ", ".join(map(repr, ids[:NAMED_AT_MOST]))
    more = f" and {len(ids) - NAMED_AT_MOST:,} more" if len(ids) > NAMED_AT_MOST else ""
    return f"the id {named}" if len(ids) == 1 else f"{len(ids):,} ids: {named}{more}"


def _in_order(references: Transcripts, system: Transcripts) -> list[str]:
    if references.ids is None or system.ids is None:
        return system.texts
    by_id = dict(zip(system.ids, system.texts, strict=True))
    return [by_id[identity] for identity in references.ids]
