"""One utterance of a corpus, and what its description in a manifest must hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.audio.sources import InMemoryAudio
from s2s.errors import DataError

LATEST = 1e9
"""Seconds, some thirty years."""


@dataclass(frozen=True)
class Utterance:
    """A recording, or `duration` seconds of it from `offset` on, and what is said in it.

    `audio` is a file, or the bytes of one where a data set holds bytes. `duration` None means up to the end.
    """

    id: str
    audio: Path | InMemoryAudio
    text: str | None
    speaker: str | None = None
    offset: float = 0.0
    duration: float | None = None


def make_utterance(record: Mapping[str, Any], folder: Path, place: str) -> Utterance:
    """The utterance that a record describes: id, audio, and where they are given text, speaker, offset, duration.

    A relative path counts from `folder`; line breaks in the text become spaces. DataError: a value is missing or of the
    wrong kind; `place` says where.
    """
    identifier, speaker = _name(record, "id", place), _name(record, "speaker", place)
    if identifier is None:
        raise DataError(f"{place}: id is missing or empty.")
    offset, duration = _seconds(record, "offset", place), _seconds(record, "duration", place)
    if duration == 0:
        raise DataError(f"{place}: duration must be more than 0 seconds.")
    text = _text(record, "text", place)
    return Utterance(
        identifier,
        _audio(record, folder, place),
        None if text is None else text.replace("\r", " ").replace("\n", " "),
        speaker,
        offset or 0.0,
        duration,
    )


def _audio(record: Mapping[str, Any], folder: Path, place: str) -> Path | InMemoryAudio:
    if isinstance(record.get("audio"), InMemoryAudio):
        audio: InMemoryAudio = record["audio"]
        return audio
    path = _text(record, "audio", place)
    if not path:
        raise DataError(f"{place}: audio is missing or empty. It is the path of a file.")
    if "\0" in path:
        raise DataError(f"{place}: audio is no path of a file, since it holds a zero byte.")
    return folder / path


def _text(record: Mapping[str, Any], key: str, place: str) -> str | None:
    """A text, or None where there is none; DataError unless it can be written as UTF-8."""
    value = record.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise DataError(f"{place}: {key} is no text (it is {value!r}).")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{place}: {key} holds half a surrogate pair.") from error
    return value


def _name(record: Mapping[str, Any], key: str, place: str) -> str | None:
    """A text without spaces around it, or a whole number as one; None where there is none or it is empty."""
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (_text(record, key, place) or "").strip() or None


def _seconds(record: Mapping[str, Any], key: str, place: str) -> float | None:
    """A number of seconds, or None where there is none."""
    value = record.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LATEST:
        raise DataError(f"{place}: {key} must be a number of seconds, from 0 on (it is {value!r}).")
    return float(value)
