"""AN4: people spell names, say numbers and a few commands (Carnegie Mellon University, 1991), split by speaker.

A folder in the official layout: `etc/an4_train.fileids`, `etc/an4_train.transcription` and the recordings below `wav`,
as .wav or .sph. Of the speakers of the official training part eight make dev and eight others test, drawn once and
the same on every machine; the others train. Where the official test part is there (`etc/an4_test.*`) it is the further
part `test_official`.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from recipes.transcription.corpora.corpus import Corpus, Utterance, check_english, check_folder, seconds_of
from s2s.errors import DataError
from s2s.files import read_lines
from s2s.rng import python_random

LICENCE = "AN4, Carnegie Mellon University, free for any use with its copyright notice"
SOURCE = "http://www.speech.cs.cmu.edu/databases/an4 or https://github.com/cmusphinx/an4"
SPEAKERS = 8
"""The speakers of dev, and of test."""

_LINE = re.compile(r"\s*(?:<s>)?(.*?)(?:</s>)?\s*\(([^()\s]+)\)\s*")


def read(language: str, from_dir: Path | None, work: Path) -> Corpus:
    """The corpus from its folder; nothing is written into `work`.

    UsageError: another language than English, or no folder. DataError: files are missing, or do not belong together.
    """
    check_english(language, "an4")
    folder = check_folder(from_dir, "an4", SOURCE)
    parts = split(read_part(folder, "an4_train"))
    if (folder / "etc" / "an4_test.fileids").exists():
        parts["test_official"] = read_part(folder, "an4_test")
    return Corpus(language, LICENCE, parts, normalisation="speaker")


def read_part(folder: Path, name: str) -> list[Utterance]:
    """The utterances of one official part, in its order."""
    ids, texts = (folder / "etc" / f"{name}.{kind}" for kind in ("fileids", "transcription"))
    files = [line.strip() for line in read_lines(ids) if line.strip()]
    transcripts = dict(_transcript(line, texts) for line in read_lines(texts) if line.strip())
    missing = [file for file in files if Path(file).name not in transcripts]
    if missing:
        raise DataError(
            f"{texts} lacks {len(missing):,} of the {len(files):,} files of {ids.name}, {missing[0]} first."
        )
    return [_utterance(folder / "wav" / file, transcripts[Path(file).name]) for file in files]


def _transcript(line: str, path: Path) -> tuple[str, str]:
    """The name of a file and what is said in it, from a line such as `<s> YES </s> (an251-fash-b)`."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise DataError(f"{path} has a line that is not of the form TEXT (NAME): {line[:80]!r}.")
    return match[2], match[1].strip().lower()


def _utterance(stem: Path, text: str) -> Utterance:
    """An utterance by its path without an ending; its folder is named after the speaker."""
    found = [path for ending in (".wav", ".sph") if (path := stem.with_name(stem.name + ending)).is_file()]
    if not found:
        raise DataError(f"{stem}.wav is missing, and so is {stem.name}.sph: .raw files need to be converted to WAV.")
    return Utterance(stem.name, found[0], text, stem.parent.name, seconds_of(found[0]))


def split(utterances: Iterable[Utterance]) -> dict[str, list[Utterance]]:
    """Train, dev and test by speaker; DataError when there are too few speakers."""
    everything = list(utterances)
    speakers = sorted({utterance.speaker for utterance in everything})
    if len(speakers) <= 2 * SPEAKERS:
        raise DataError(f"AN4 needs more than {2 * SPEAKERS} speakers to be split, not {len(speakers)}.")
    drawn = python_random(1, "an4").sample(speakers, 2 * SPEAKERS)
    part_of = dict.fromkeys(drawn[:SPEAKERS], "dev") | dict.fromkeys(drawn[SPEAKERS:], "test")
    parts: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for utterance in everything:
        parts[part_of.get(utterance.speaker, "train")].append(utterance)
    return parts
