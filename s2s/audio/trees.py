"""Manifests in a folder: a Kaldi data directory, a tree like that of LibriSpeech."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from s2s.audio.utterances import Utterance, make_utterance
from s2s.errors import DataError
from s2s.files import read_lines

TRANSCRIPTS = "*/*/*.trans.txt"

_ARCHIVE = re.compile(r"\.(ark|scp):\d+$")


def read_kaldi(folder: Path, with_text: bool) -> Iterator[Utterance]:
    """The utterances of a Kaldi data directory: wav.scp, text, and where they are there segments and utt2spk.

    Relative paths count from the folder. Text, speakers and names of recordings are kept in memory. An utterance of
    which `text` says nothing has none. DataError: a file or line that cannot be used; text without a recording.
    """
    recordings = _table(folder / "wav.scp", _file)
    texts = _table(folder / "text") if with_text or (folder / "text").is_file() else {}
    speakers = _table(folder / "utt2spk") if (folder / "utt2spk").is_file() else {}
    segmented = (folder / "segments").is_file()
    named = {key for _, key, _ in _lines(folder / "segments")} if segmented else recordings.keys()
    for key in texts:
        if key not in named:
            raise DataError(f"{folder / 'text'} has {key}, but {'segments' if segmented else 'wav.scp'} does not.")
    for place, key, value in _lines(folder / ("segments" if segmented else "wav.scp")):
        record = _segment(place, value, recordings) if segmented else {"audio": recordings[key]}
        yield make_utterance(record | {"id": key, "text": texts.get(key), "speaker": speakers.get(key)}, folder, place)


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    """Place, first word and the rest of each line."""
    for number, line in enumerate(read_lines(path), start=1):
        key, *rest = re.split("[ \t]+", line.strip(" \t"), maxsplit=1)
        if not key:
            raise DataError(f"{path}, line {number:,} is empty.")
        yield f"{path}, line {number:,}", key, rest[0] if rest else ""


def _table(path: Path, checked: Callable[[str, str], str] = lambda place, value: value) -> dict[str, str]:
    """What a file says of each utterance or recording; DataError when it says it twice."""
    table: dict[str, str] = {}
    for place, key, value in _lines(path):
        if key in table:
            raise DataError(f"{place}: {key} stands there twice.")
        table[key] = checked(place, value)
    return table


def _file(place: str, value: str) -> str:
    """The file that a line of wav.scp names."""
    if value.endswith("|"):
        raise DataError(
            f"{place}: {value!r} is a command, and s2s runs no command that it finds in a file. "
            "Write what it prints into an audio file and name that."
        )
    if _ARCHIVE.search(value):
        raise DataError(f"{place}: {value!r} is a place in an archive of Kaldi's. Write it into an audio file.")
    return value


def _segment(place: str, value: str, recordings: dict[str, str]) -> dict[str, object]:
    """The recording, start and length that a line of segments names; an end of -1 is that of the recording."""
    words = value.split()
    try:
        recording, start, end = words[0], float(words[1]), float(words[2])
    except (IndexError, ValueError):
        words = []
    if len(words) != 3:
        raise DataError(f"{place} is no segment: its words are utterance, recording, start and end in seconds.")
    if recording not in recordings:
        raise DataError(f"{place}: there is no recording {recording} in wav.scp.")
    if end != -1 and not start < end:
        raise DataError(f"{place}: the segment ends at {end:g} s and starts at {start:g} s.")
    return {"audio": recordings[recording], "offset": start, "duration": None if end == -1 else end - start}


def read_librispeech(folder: Path) -> Iterator[Utterance]:
    """The utterances of a tree `SPEAKER/CHAPTER/*.trans.txt` with a FLAC file beside it for each line, in order.

    Panayotov, Chen, Povey and Khudanpur, "LibriSpeech: An ASR Corpus Based on Public Domain Audio Books", ICASSP 2015.
    DataError names the file and line that cannot be used.
    """
    for path in sorted(folder.glob(TRANSCRIPTS)):
        for place, key, text in _lines(path):
            record = {"id": key, "audio": f"{key}.flac", "text": text, "speaker": path.parts[-3]}
            yield make_utterance(record, path.parent, place)
