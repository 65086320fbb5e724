"""Utterances of a data set of the Hugging Face hub, or of a local one, with the audio that it holds or names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from s2s.audio.sources import InMemoryAudio
from s2s.audio.utterances import Utterance, make_utterance
from s2s.errors import UsageError
from s2s.hub import PREFIX, cut, open_part

FORM = "datasets:NAME@SPLIT, datasets:NAME:CONFIG@SPLIT or datasets:NAME@SPLIT#COLUMN for another text than `text`"


def read_dataset(spec: str, with_text: bool) -> Iterator[Utterance]:
    """The utterances of one part of a data set, from its columns audio, text, id, speaker.

    Rows without an `id` of text are named by their number; `speaker_id` serves for `speaker`. Audio that is stored as
    bytes comes as bytes: nothing is written. UsageError: no such part or column. DataError: the data set cannot be
    loaded, or a row has no audio.
    """
    place, column = cut(spec.removeprefix(PREFIX), "#")
    name, part = open_part(place, FORM)
    table = _undecoded(part, name)
    column = column or "text"
    if with_text and column not in table.column_names:
        raise UsageError(_no_column(name, column, table))
    for number, row in enumerate(table, start=1):
        at = f"{name}, row {number:,}"
        record = {
            "id": row["id"] if isinstance(row.get("id"), str) else number,
            "audio": _audio(row["audio"], at),
            "text": row.get(column),
            "speaker": row.get("speaker", row.get("speaker_id")),
        }
        yield make_utterance(record, Path(name) if Path(name).is_dir() else Path(), at)


def _no_column(name: str, column: str, table: Any) -> str:
    return f"The data set {name} has no column {column}, only {', '.join(table.column_names)}. It is given as {FORM}."


def _audio(value: Any, place: str) -> InMemoryAudio | str | None:
    """The bytes of a recording, or the path of its file."""
    if not isinstance(value, dict):
        return value if isinstance(value, str) else None
    if value.get("bytes") is not None:
        return InMemoryAudio(value["bytes"], str(value.get("path") or place))
    return value.get("path")


def _undecoded(table: Any, name: str) -> Any:
    """The part with its audio as it is stored; decoding needs libraries that may not be there."""
    from datasets import Audio

    if "audio" not in table.column_names:
        raise UsageError(_no_column(name, "audio", table))
    return table.cast_column("audio", Audio(decode=False)) if isinstance(table.features["audio"], Audio) else table
