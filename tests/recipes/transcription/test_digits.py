"""Spoken digits: single recordings by index, and strings joined from those of one part and speaker."""

from collections import Counter
from pathlib import Path

import numpy
import pytest
import soundfile

from recipes.corpora import DOWNLOADS
from recipes.transcription.corpora import digits
from recipes.transcription.corpora.corpus import Corpus, Utterance
from s2s.errors import DataError, UsageError
from tests.recipes.transcription.conftest import Record

SPEAKERS = ("ann", "bob")


@pytest.fixture
def folder(tmp_path: Path, record: Record) -> Path:
    """Ten recordings of each digit by each speaker; the value of the samples tells which one it is."""
    for speaker, name in enumerate(SPEAKERS):
        for digit in range(10):
            for index in range(10):
                value = 1000 * speaker + 10 * digit + index + 1
                record(tmp_path / f"recordings/{digit}_{name}_{index}.wav", 0.01 + 0.001 * digit, value=value)
    (tmp_path / "recordings/notes.txt").touch()
    return tmp_path


def pieces(utterance: Utterance) -> list[tuple[str, int, int]]:
    """Speaker, digit and index of the recordings that a file was joined from, by the values of its samples."""
    samples, rate = soundfile.read(str(utterance.audio), dtype="int16")
    assert (rate, soundfile.info(str(utterance.audio)).subtype) == (8000, "PCM_16")
    assert utterance.seconds == len(samples) / rate
    found = []
    while len(samples):
        speaker, rest = divmod(int(samples[0]) - 1, 1000)
        digit, index = divmod(rest, 10)
        length = 80 + 8 * digit
        assert numpy.all(samples[:length] == samples[0])
        samples = samples[length:]
        found.append((SPEAKERS[speaker], digit, index))
    return found


def test_single_recordings_go_by_their_index(folder: Path, tmp_path: Path) -> None:
    """0 to 4 are the official test, 5 to 7 are dev, the others train; the digit is spelled out."""
    parts = digits.read("en", folder, tmp_path / "work").parts
    assert list(parts) == ["train", "dev", "test", "test_isolated"]
    assert {utterance.id.split("_")[2] for utterance in parts["train"]} == {"8", "9"}
    assert {utterance.id.split("_")[2] for utterance in parts["test_isolated"]} == set("01234")
    assert {u.id.split("_")[2] for u in parts["dev"] if " " not in u.text} == set("567")
    assert [len(parts[name]) for name in parts] == [40, 60 + 40, 100, 100]
    by_id = {utterance.id: utterance for utterance in parts["train"]}
    assert by_id["7_bob_9"].text == "seven"
    assert by_id["7_bob_9"].speaker == "bob"
    assert by_id["7_bob_9"].seconds == pytest.approx(0.017)


@pytest.mark.parametrize(("part", "indices"), [("test", range(5)), ("dev", range(5, 8))])
def test_strings_are_joined_from_one_speaker_and_one_part(
    folder: Path, tmp_path: Path, part: str, indices: range
) -> None:
    """Sample for sample, without pauses; the text says what they hold; recordings are used equally often, nearly."""
    strings = [u for u in digits.read("en", folder, tmp_path / "work").parts[part] if " " in u.text]
    assert Counter(utterance.speaker for utterance in strings) == dict.fromkeys(SPEAKERS, digits.STRINGS[part])
    used: Counter[tuple[str, int, int]] = Counter()
    for utterance in strings:
        joined = pieces(utterance)
        used.update(joined)
        assert " ".join(digits.WORDS[digit] for _, digit, _ in joined) == utterance.text
        assert {(speaker, index in indices) for speaker, _, index in joined} == {(utterance.speaker, True)}
    assert {3, 7} <= {len(utterance.text.split()) for utterance in strings} <= {3, 4, 5, 6, 7}
    assert len(used) == len(SPEAKERS) * 10 * len(indices)
    for speaker in SPEAKERS:
        own = [count for key, count in used.items() if key[0] == speaker]
        assert max(own) - min(own) <= 1


def test_the_strings_are_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    """Fixed for ever, since results depend on them."""
    first, second = (digits.read("en", folder, tmp_path / name).parts["test"] for name in ("one", "two"))
    assert [utterance.text for utterance in first] == [utterance.text for utterance in second]
    assert [utterance.audio.read_bytes() for utterance in first] == [u.audio.read_bytes() for u in second]
    assert first[0].text == "three nine one three"


def test_the_folder_of_recordings_itself_will_do(folder: Path, tmp_path: Path) -> None:
    """Others are refused, with what is expected."""
    assert len(digits.read("en", folder / "recordings", tmp_path / "work").parts["train"]) == 40
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no recordings for train and dev and test: .*7_jackson_32\.wav"):
        digits.read("en", tmp_path / "empty", tmp_path / "work")
    with pytest.raises(UsageError, match="free-spoken-digit-dataset"):
        digits.read("en", None, tmp_path / "work")
    with pytest.raises(UsageError, match="there is no fr in it"):
        digits.read("fr", folder, tmp_path / "work")


@pytest.mark.parametrize("form", [{"rate": 16_000}, {"channels": 2}])
def test_recordings_of_another_form_are_refused(
    folder: Path, tmp_path: Path, record: Record, form: dict[str, int]
) -> None:
    """Joined with the others they would sound wrong."""
    record(folder / "recordings/3_ann_2.wav", 0.02, **form)
    with pytest.raises(DataError, match=r"3_ann_2\.wav is not mono of 8,000 Hz"):
        digits.read("en", folder, tmp_path / "work")


def test_the_real_recordings(tmp_path: Path) -> None:
    """Where they are; the counts are those of the README."""
    folder = DOWNLOADS / "free-spoken-digit-dataset"
    if not folder.exists():
        pytest.skip("the Free Spoken Digit Dataset is not here")
    corpus: Corpus = digits.read("en", folder, tmp_path)
    assert {name: len(part) for name, part in corpus.parts.items()} == {
        "train": 2520,
        "dev": 300,
        "test": 300,
        "test_isolated": 300,
    }
    seconds = {name: round(sum(u.seconds for u in part)) for name, part in corpus.parts.items()}
    assert seconds == {"train": 1104, "dev": 330, "test": 648, "test_isolated": 129}
