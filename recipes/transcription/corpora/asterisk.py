"""Asterisk's core sounds: the prompts of a telephone system, read by one voice, about 25 minutes in each language.

Debian's packages `asterisk-core-sounds-LANGUAGE-wav` (18 to 24 MB, 8 kHz) and `asterisk-core-sounds-LANGUAGE` (the
texts), in en, es, fr, it and ru: CC BY-SA 3.0, and CC BY 3.0 for it and ru. They are fetched by apt, which checks them
by the signed lists of the archive, or taken from `--from-dir`, for which the person who gives it is responsible.

The parts share no transcript: all recordings of the same words go to one part. Prompts of one word and prompts of
several are divided apart, each in the order of the hash of their words: the first tenth of their time is test, the next
is dev.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from recipes.corpora import DOWNLOADS
from recipes.transcription.corpora.apt import fetch, found
from recipes.transcription.corpora.corpus import Corpus, Utterance, seconds_of
from recipes.transcription.corpora.deb import unpack
from recipes.transcription.corpora.prompts import Words, digit_words, fault, read_texts, spoken
from s2s.errors import DataError, UsageError

LICENCES = {"en": "CC BY-SA 3.0", "es": "CC BY-SA 3.0", "fr": "CC BY-SA 3.0", "it": "CC BY 3.0", "ru": "CC BY 3.0"}
LONGEST = 30.0
FASTEST = 22.0
"""Characters a second. No voice here reads as many: the text is not that of the recording."""

TONES = {"beep", "beeperr", "confbridge-join", "confbridge-leave", "ascending-2tone", "descending-2tone", "tt-monkeys"}
"""Prompts that are no speech, whatever their text."""

SHARES = {"test": 0.1, "dev": 0.1}
"""The parts that are filled before training gets the rest, with their shares of the time."""

SOUNDS = "usr/share/asterisk/sounds"
DOCUMENTATION = "usr/share/doc"


def read(language: str, from_dir: Path | None, work: Path) -> Corpus:
    """The cleaned and split corpus; its recordings are unpacked into `work`.

    UsageError: a language that has no package. DataError: the packages cannot be had, or are not what they were.
    """
    if language not in LICENCES:
        raise UsageError(f"There are no prompts in {language}: choose from {', '.join(LICENCES)}.")
    roots, version = locate(language, from_dir, work)
    dropped: Counter[str] = Counter()
    utterances = list(_read_prompts(language, roots, dropped))
    parts = split(utterances)
    empty = [name for name, chosen in parts.items() if not chosen]
    if empty:
        raise DataError(f"There are only {len(utterances):,} prompts that can be used: none is left for {empty[0]}.")
    return Corpus(language, f"{_names(language)[0]} {version}, {LICENCES[language]}", parts, dropped)


def locate(language: str, from_dir: Path | None, work: Path) -> tuple[list[Path], str]:
    """Folders in which the files of the packages lie as in `/`, and the version of the packages where it is known."""
    names = _names(language)
    advice = (
        f"Get {' and '.join(names)} from https://packages.debian.org/{names[1]} (or by `apt-get download` on another "
        "machine) and give the folder with both .deb files, or with what `dpkg-deb -x` made of them, with --from-dir."
    )
    if from_dir is None:
        packages = fetch(names, DOWNLOADS, advice)
    else:
        packages = [path for name in names if (path := found(name, from_dir))]
        if not packages:
            return [from_dir, *(path for path in sorted(from_dir.iterdir()) if path.is_dir())], "of unknown version"
        if len(packages) == 1:
            raise DataError(f"{from_dir} has {packages[0].name} alone. {advice}")
    for package in packages:
        unpack(package, work / "packages")
    return [work / "packages"], packages[0].name.split("_")[1]


def _names(language: str) -> tuple[str, str]:
    return (f"asterisk-core-sounds-{language}", f"asterisk-core-sounds-{language}-wav")


def _read_prompts(language: str, roots: Sequence[Path], dropped: Counter[str]) -> Iterator[Utterance]:
    name = _names(language)[0]
    listed = _only(roots, f"{DOCUMENTATION}/{name}/core-sounds-{language}.txt*")
    sounds = _only(roots, f"{SOUNDS}/{language}_*")
    texts = read_texts(listed, dropped)
    digits = digit_words(texts)
    for path in sorted(sounds.rglob("*.wav")):
        prompt = path.relative_to(sounds).with_suffix("").as_posix()
        text, seconds = texts.get(prompt.lower()), seconds_of(path)
        reason = "no speech" if prompt in TONES else _fault(text, seconds, language, digits)
        if text is None or reason is not None:
            dropped[str(reason)] += 1
        else:
            yield Utterance(prompt, path, spoken(text, digits), sounds.name.split("_")[-1], seconds)


def _fault(text: str | None, seconds: float, language: str, digits: Words) -> str | None:
    """Why a recording cannot be used, or None."""
    if text is None:
        return "no text"
    if seconds > LONGEST:
        return f"longer than {LONGEST:.0f} s"
    if len(spoken(text, digits)) > FASTEST * seconds:
        return "more text than fits"
    return fault(text, language, digits)


def _only(roots: Sequence[Path], pattern: str) -> Path:
    """The one path of that pattern below the folders."""
    paths = [path for root in roots for path in root.glob(pattern)]
    if len(paths) != 1:
        listed = f"{len(paths)} times ({', '.join(map(str, sorted(paths)))})" if paths else "nowhere"
        raise DataError(f"{pattern} is needed once below {roots[0]}, but is there {listed}.")
    return paths[0]


def split(utterances: Iterable[Utterance]) -> dict[str, list[Utterance]]:
    """Train, dev and test in the order of their ids; the same words are never in two parts."""
    same: dict[str, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        same[utterance.text].append(utterance)
    parts: dict[str, list[Utterance]] = {"train": [], "dev": [], "test": []}
    for single in (True, False):
        texts = sorted((text for text in same if (" " not in text) == single), key=_rank)
        _share_out([same[text] for text in texts], parts)
    return {name: sorted(chosen, key=lambda utterance: utterance.id) for name, chosen in parts.items()}


def _share_out(groups: Sequence[Sequence[Utterance]], parts: dict[str, list[Utterance]]) -> None:
    """Fill test, then dev, with whole groups until each has its share of their time; the rest trains."""
    total = sum(map(_seconds, groups))
    filled = dict.fromkeys(SHARES, 0.0)
    for group in groups:
        part = next((name for name, share in SHARES.items() if filled[name] < share * total), "train")
        parts[part] += group
        filled[part] = filled.get(part, 0.0) + _seconds(group)


def _seconds(group: Sequence[Utterance]) -> float:
    return sum(utterance.seconds for utterance in group)


def _rank(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
