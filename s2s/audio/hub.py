"""Utterances of a data set of the Hugging Face hub, or of a local one, with the audio that it holds or names."""

import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from s2s.audio.sources import InMemoryAudio
from s2s.audio.utterances import Utterance, make_utterance
from s2s.errors import DataError, UsageError
from s2s.log import say

PREFIX = "datasets:"
FORM = "datasets:NAME@SPLIT, datasets:NAME:CONFIG@SPLIT or datasets:NAME@SPLIT#COLUMN for another text than `text`"
HUB_TIMEOUT = 10
"""Seconds in which the hub must answer at all."""


def read_dataset(spec: str, with_text: bool) -> Iterator[Utterance]:
    """The utterances of one part of a data set, from its columns audio, text, id, speaker.

    Rows without an `id` of text are named by their number; `speaker_id` serves for `speaker`. Audio that is stored as
    bytes comes as bytes: nothing is written. UsageError: no such part or column. DataError: the data set cannot be
    loaded, or a row has no audio.
    """
    place, column = _split(spec.removeprefix(PREFIX), "#")
    name, split = _split(place, "@")
    table = _undecoded(_part(_load(name), name, split), name)
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


def _split(text: str, mark: str) -> tuple[str, str]:
    """What stands before and after the last mark; all of it stands before when there is none."""
    before, found, after = text.rpartition(mark)
    return (before, after) if found else (text, "")


def _no_column(name: str, column: str, table: Any) -> str:
    return f"The data set {name} has no column {column}, only {', '.join(table.column_names)}. It is given as {FORM}."


def _audio(value: Any, place: str) -> InMemoryAudio | str | None:
    """The bytes of a recording, or the path of its file."""
    if not isinstance(value, dict):
        return value if isinstance(value, str) else None
    if value.get("bytes") is not None:
        return InMemoryAudio(value["bytes"], str(value.get("path") or place))
    return value.get("path")


def _part(loaded: Any, name: str, split: str) -> Any:
    """The part that was asked for, or the only one."""
    from datasets import DatasetDict

    if isinstance(loaded, DatasetDict):
        if split not in loaded:
            wrong = f"no split {split}" if split else "several splits"
            raise UsageError(f"The data set {name} has {wrong}: name one of {', '.join(map(str, loaded))} as {FORM}.")
        return loaded[split]
    if split:
        raise UsageError(f"The data set {name} has no splits: leave out @{split}.")
    return loaded


def _undecoded(table: Any, name: str) -> Any:
    """The part with its audio as it is stored; decoding needs libraries that may not be there."""
    from datasets import Audio

    if "audio" not in table.column_names:
        raise UsageError(_no_column(name, "audio", table))
    return table.cast_column("audio", Audio(decode=False)) if isinstance(table.features["audio"], Audio) else table


def _load(name: str) -> Any:
    """What `save_to_disk` wrote into a folder, or whatever `load_dataset` finds by that name."""
    import datasets

    datasets.disable_progress_bars()
    folder = Path(name)
    try:
        if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
            return datasets.load_from_disk(name)
        if folder.is_dir():
            return datasets.load_dataset(name)
        say(f"looking for {name} on the Hugging Face hub")
        _reach_hub()
        path, _, config = name.partition(":")
        return datasets.load_dataset(path, config or None)
    except Exception as error:  # its loaders raise whatever their formats and the network do
        told = error.__cause__ or error if isinstance(error, datasets.exceptions.DatasetGenerationError) else error
        reason = (str(told).strip() or type(told).__name__).splitlines()[0].removesuffix(".")
        raise DataError(
            f"The data set {name} cannot be loaded: {reason}. HF_HUB_OFFLINE=1 uses what was downloaded before. "
            "Without a network, download it elsewhere and give its folder."
        ) from error


def _reach_hub() -> None:
    """OSError when the hub does not answer; its own client would try again for a minute or more."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return
    with suppress(HTTPError):  # which is an answer
        urllib.request.urlopen(constants.ENDPOINT, timeout=HUB_TIMEOUT).close()
