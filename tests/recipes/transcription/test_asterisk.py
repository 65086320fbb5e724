"""The prompts of Asterisk: from packages to parts that share no transcript."""

import gzip
import io
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy
import pytest
import soundfile

from recipes.corpora import DOWNLOADS
from recipes.transcription.corpora import asterisk
from recipes.transcription.corpora.apt import found
from recipes.transcription.corpora.corpus import Corpus, Utterance
from s2s.errors import DataError, UsageError
from tests.recipes.transcription.conftest import Package

Prompts = Mapping[str, tuple[str | None, float]]
TEXTS = "asterisk-core-sounds-en"
NUMBERS = [
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
GOOD: Prompts = {
    **{f"digits/{number}": (word, 0.4) for number, word in enumerate(NUMBERS, start=3)},
    **{f"menu-{word}": (f"Press {word}, then wait.", 1.5) for word in NUMBERS},
}


def wav(seconds: float) -> bytes:
    """A recording in memory."""
    stream = io.BytesIO()
    soundfile.write(stream, numpy.zeros(round(8000 * seconds), dtype="int16"), 8000, format="WAV")
    return stream.getvalue()


@pytest.fixture
def packages(tmp_path: Path, package: Package) -> Callable[[Prompts], Path]:
    """A folder with the two packages of these prompts, which have a text or none, and a length."""

    def write(prompts: Prompts) -> Path:
        folder = tmp_path / "packages"
        lines = ["; Core Sounds", "", *(f"{name}: {text}" for name, (text, _) in prompts.items() if text is not None)]
        text = gzip.compress("\n".join(lines).encode())
        package(folder / f"{TEXTS}_1.0_all.deb", {f"./usr/share/doc/{TEXTS}/core-sounds-en.txt.gz": text})
        sounds = "./usr/share/asterisk/sounds/en_US_f_Ann"
        recordings = {f"{sounds}/{name}.wav": wav(seconds) for name, (_, seconds) in prompts.items()}
        package(folder / f"{TEXTS}-wav_1.0_all.deb", recordings)
        return folder

    return write


def everything(corpus: Corpus) -> list[Utterance]:
    """The utterances of all parts."""
    return [utterance for part in corpus.parts.values() for utterance in part]


def test_packages_become_utterances(tmp_path: Path, packages: Callable[[Prompts], Path]) -> None:
    """Words as they are said, digits by the prompts that say them, the voice as the speaker, audio that exists."""
    prompts = {**GOOD, "vm-INBOX": ("Press 3 or 4 [note].", 1.5)}
    corpus = asterisk.read("en", packages(prompts), tmp_path / "work")
    by_id = {utterance.id: utterance for utterance in everything(corpus)}
    assert set(by_id) == set(prompts)
    assert by_id["vm-INBOX"].text == "press three or four"
    assert by_id["menu-ten"].text == "press ten then wait"
    assert {utterance.speaker for utterance in by_id.values()} == {"Ann"}
    assert by_id["digits/5"].seconds == pytest.approx(0.4)
    assert soundfile.info(str(by_id["digits/5"].audio)).frames == 3200
    assert corpus.licence == f"{TEXTS} 1.0, CC BY-SA 3.0"
    assert corpus.dropped == {}


def test_what_cannot_be_learned_or_scored_is_dropped_and_counted(
    tmp_path: Path, packages: Callable[[Prompts], Path]
) -> None:
    """Each prompt for one reason; tones are known by name, whatever is written about them."""
    bad: Prompts = {
        "silence/1": ("(1 second of silence)", 1.0),
        "beep": ("a simple beep", 1.0),
        "unwritten": (None, 1.0),
        "demo": ("a very long story", 30.5),
        "mismatch": ("far more text than anybody could read", 1.0),
        "dial": ("dial 500", 2.0),
    }
    corpus = asterisk.read("en", packages({**GOOD, **bad}), tmp_path / "work")
    assert {utterance.id for utterance in everything(corpus)} == set(GOOD)
    assert corpus.dropped == {
        "no speech": 2,
        "no text": 1,
        "longer than 30 s": 1,
        "more text than fits": 1,
        "numbers or symbols with several readings": 1,
    }


def utterances(texts: dict[str, float]) -> list[Utterance]:
    """One utterance for each text, of so many seconds."""
    return [
        Utterance(f"{number:03}", Path("a.wav"), text, "ann", seconds)
        for number, (text, seconds) in enumerate(texts.items())
    ]


def check_split(parts: Mapping[str, Sequence[Utterance]]) -> None:
    """No transcript is in two parts; each part has prompts of one word and of several."""
    where = defaultdict(set)
    for name, part in parts.items():
        assert {" " in utterance.text for utterance in part} == {True, False}
        for utterance in part:
            where[utterance.text].add(name)
    assert all(len(names) == 1 for names in where.values())


def test_parts_share_no_transcript_and_have_their_share_of_the_time() -> None:
    """A tenth of the time of one word and of several goes to test and to dev, up to one prompt."""
    texts = {f"word{number}": 0.5 + number % 3 for number in range(100)}
    texts |= {f"some words {number}": 2.0 + number % 5 for number in range(100)}
    parts = asterisk.split([*utterances(texts), *utterances(texts)])
    check_split(parts)
    assert sum(map(len, parts.values())) == 400
    for single in (True, False):
        seconds = {
            name: sum(utterance.seconds for utterance in part if (" " not in utterance.text) == single)
            for name, part in parts.items()
        }
        total, longest = sum(seconds.values()), 2 * (2.5 if single else 6.0)
        for name in ("dev", "test"):
            assert 0.1 * total <= seconds[name] <= 0.1 * total + longest


def test_the_split_depends_on_words_alone() -> None:
    """Not on the order, the names or the recordings; fixed for ever, since results depend on it."""
    texts = {f"{word} {other}": 2.0 for word in NUMBERS for other in NUMBERS} | dict.fromkeys(NUMBERS, 1.0)
    forward = asterisk.split(utterances(texts))
    backward = asterisk.split(utterances(dict(reversed(list(texts.items())))))

    def words(parts: dict[str, list[Utterance]]) -> dict[str, set[str]]:
        return {name: {utterance.text for utterance in part} for name, part in parts.items()}

    assert words(forward) == words(backward)
    assert {text for text in words(forward)["test"] if " " not in text} == {"five", "four"}
    assert [utterance.id for utterance in forward["train"]] == sorted(utterance.id for utterance in forward["train"])


def test_unpacked_folders_will_do(tmp_path: Path, packages: Callable[[Prompts], Path]) -> None:
    """Each package in a folder of its own, or both in one as on a system that has them installed."""
    folder = packages(GOOD)
    first = asterisk.read("en", folder, tmp_path / "one")
    second = asterisk.read("en", tmp_path / "one" / "packages", tmp_path / "two")
    assert [u.id for u in second.parts["test"]] == [u.id for u in first.parts["test"]]
    assert second.licence == f"{TEXTS} of unknown version, CC BY-SA 3.0"
    apart = tmp_path / "apart"
    (apart / "texts/usr/share").mkdir(parents=True)
    (apart / "sounds/usr/share").mkdir(parents=True)
    (tmp_path / "one/packages/usr/share/doc").rename(apart / "texts/usr/share/doc")
    (tmp_path / "one/packages/usr/share/asterisk").rename(apart / "sounds/usr/share/asterisk")
    third = asterisk.read("en", apart, tmp_path / "three")
    assert [u.id for u in third.parts["test"]] == [u.id for u in first.parts["test"]]


def test_what_is_missing_is_named(tmp_path: Path, packages: Callable[[Prompts], Path]) -> None:
    """A language, one of two packages, their files, enough prompts."""
    with pytest.raises(UsageError, match="no prompts in de: choose from en, es, fr, it, ru"):
        asterisk.read("de", tmp_path, tmp_path / "work")
    folder = packages({"digits/1": ("one", 0.5)})
    with pytest.raises(DataError, match="only 1 prompts that can be used: none is left for train"):
        asterisk.read("en", folder, tmp_path / "one")
    (folder / f"{TEXTS}-wav_1.0_all.deb").unlink()
    with pytest.raises(DataError, match=rf"{TEXTS}_1\.0_all\.deb alone\. Get .*dpkg-deb -x.*--from-dir"):
        asterisk.read("en", folder, tmp_path / "two")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"core-sounds-en\.txt\* is needed once below .*empty, but is there nowhere"):
        asterisk.read("en", tmp_path / "empty", tmp_path / "three")


REAL = {  # utterances and seconds of train, dev and test, and recordings that were dropped
    "en": ((434, 55, 54), (1022, 134, 130), 25),
    "es": ((371, 41, 58), (1176, 151, 150), 58),
    "fr": ((393, 51, 57), (1018, 133, 130), 60),
    "it": ((458, 52, 49), (937, 125, 134), 40),
    "ru": ((410, 61, 71), (950, 121, 125), 34),
}


@pytest.mark.parametrize(
    "language", ["en", *(pytest.param(other, marks=pytest.mark.long) for other in REAL if other != "en")]
)
def test_the_real_packages(tmp_path: Path, language: str) -> None:
    """Where they were fetched before; the counts are those of the README."""
    name = f"asterisk-core-sounds-{language}"
    if not (found(name, DOWNLOADS) and found(f"{name}-wav", DOWNLOADS)):
        pytest.skip("prepare.py asterisk has not fetched them here")
    corpus = asterisk.read(language, DOWNLOADS, tmp_path)
    check_split(corpus.parts)
    sizes, seconds, dropped = REAL[language]
    assert tuple(map(len, corpus.parts.values())) == sizes
    assert tuple(round(sum(u.seconds for u in part)) for part in corpus.parts.values()) == seconds
    assert corpus.dropped.total() == dropped
