"""The Free Spoken Digit Dataset: recordings of single digits, and strings of digits joined from them.

3,000 recordings of 8 kHz: ten digits, six speakers, index 0 to 49 each. The indices 0 to 4 are the official test, 5 to
7 are held out here for dev, the others train. All six speakers are in every part, so that a result tells nothing of
voices that were never heard.

Dev and test hold strings of 3 to 7 digits, each joined from recordings of one speaker that belong to that part. Between
the digits there is no pause but what the recordings begin and end with: training joins single digits in the same way,
anew in each epoch (`augmentation.joined`). The recordings of a speaker are dealt like a pack of cards, so that each of
them is used about equally often. The draw is the same on every machine.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from random import Random

import numpy

from recipes.transcription.corpora.corpus import Corpus, Utterance, check_english, check_folder, seconds_of
from s2s.data.prepare_audio import Normalisation
from s2s.errors import DataError
from s2s.rng import python_random
from s2s.text.tokenizer import Units

LICENCE = "Free Spoken Digit Dataset, CC BY-SA 4.0"
SOURCE = "https://github.com/Jakobovski/free-spoken-digit-dataset"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST = range(5)
DEV = range(5, 8)
RATE = 8000
UNITS: Units = "bpe"
"""Of ten words that come often enough, BPE makes one unit each: nothing can be spelt wrong."""
NORMALISATION: Normalisation = "global"
"""A fifth of a second tells too little of its own mean and variance."""

SHORTEST = 3
LONGEST = 7
STRINGS = {"dev": 20, "test": 50}
"""Strings for each speaker."""

_NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")


def read(language: str, from_dir: Path | None, work: Path) -> Corpus:
    """The corpus from the folder with `recordings`; joined recordings are written into `work`.

    UsageError: another language than English, or no folder. DataError: recordings are missing or cannot be read.
    """
    check_english(language, "digits")
    folder = check_folder(from_dir, "digits", SOURCE)
    single = read_recordings(folder / "recordings" if (folder / "recordings").is_dir() else folder)
    strings = {part: join(single[part], part, work / "strings") for part in STRINGS}
    parts = {
        "train": single["train"],
        "dev": [*single["dev"], *strings["dev"]],
        "test": strings["test"],
        "test_isolated": single["test"],
    }
    return Corpus(language, LICENCE, parts, units=UNITS, normalisation=NORMALISATION)


def read_recordings(folder: Path) -> dict[str, list[Utterance]]:
    """The single digits of each part in the order of their names; DataError when a part has none."""
    parts: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match:
            digit, speaker, index = match.groups()
            utterance = Utterance(path.stem, path, WORDS[int(digit)], speaker, seconds_of(path))
            parts[part_of(int(index))].append(utterance)
    empty = [part for part, utterances in parts.items() if not utterances]
    if empty:
        raise DataError(
            f"{folder} has no recordings for {' and '.join(empty)}: files are named DIGIT_SPEAKER_INDEX.wav, such as "
            "7_jackson_32.wav, and the folder that holds them is called recordings."
        )
    return parts


def part_of(index: int) -> str:
    """The part of a recording by its index: the first five are the official test."""
    return "test" if index in TEST else "dev" if index in DEV else "train"


def join(single: Sequence[Utterance], part: str, folder: Path) -> list[Utterance]:
    """Strings of digits, so many for each speaker, written into `folder` as WAV files of 16 bits."""
    folder.mkdir(parents=True, exist_ok=True)
    by_speaker: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in single:
        by_speaker[utterance.speaker].append(utterance)
    strings = []
    for speaker, own in sorted(by_speaker.items()):
        draw = python_random(1, "digits", part, speaker)
        cards = _deal(own, draw)
        for number in range(STRINGS[part]):
            digits = list(islice(cards, draw.randint(SHORTEST, LONGEST)))
            strings.append(_write(digits, folder / f"{part}_{speaker}_{number:02}.wav"))
    return strings


def _deal(recordings: Sequence[Utterance], draw: Random) -> Iterator[Utterance]:
    """The recordings in random order, again and again, each time in another."""
    packs = iter(lambda: draw.sample(recordings, len(recordings)), None)
    return chain.from_iterable(packs)


def _write(digits: Sequence[Utterance], path: Path) -> Utterance:
    import soundfile

    samples = numpy.concatenate([samples_of(utterance.audio) for utterance in digits])
    soundfile.write(str(path), samples, RATE, subtype="PCM_16")
    text = " ".join(utterance.text for utterance in digits)
    return Utterance(path.stem, path, text, digits[0].speaker, len(samples) / RATE)


def samples_of(path: Path) -> numpy.ndarray:
    """The samples of a recording, as integers of 16 bits; DataError unless it is one of this corpus by its format."""
    import soundfile

    samples: numpy.ndarray
    samples, rate = soundfile.read(str(path), dtype="int16")
    if rate != RATE or samples.ndim != 1:
        raise DataError(f"{path} is not mono of {RATE:,} Hz, as all recordings of this corpus are.")
    return samples
