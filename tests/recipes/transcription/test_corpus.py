"""Manifests, counts for people, and errors that all corpora share."""

import json
from collections import Counter
from pathlib import Path

import pytest

from recipes.transcription.corpora.corpus import Corpus, Utterance, check_english, check_folder, seconds_of
from s2s.errors import DataError, UsageError
from tests.recipes.transcription.conftest import Record


def test_parts_become_manifests(tmp_path: Path) -> None:
    """One object a line, with absolute paths, in the order of the part."""
    first = Utterance("b/1", tmp_path / "x" / ".." / "b.wav", "déjà vu", "ann", 1.0)
    second = Utterance("a", tmp_path / "a.wav", "yes", "bob", 2.0)
    paths = Corpus("fr", "free", {"train": [first, second], "dev": [second]}).write(tmp_path)
    assert list(paths) == ["train", "dev"]
    lines = paths["train"].read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "b/1", "audio": str(tmp_path / "b.wav"), "text": "déjà vu", "speaker": "ann"},
        {"id": "a", "audio": str(tmp_path / "a.wav"), "text": "yes", "speaker": "bob"},
    ]
    assert "déjà" in lines[0]
    assert len(paths["dev"].read_text(encoding="utf-8").splitlines()) == 1


def test_counts_for_people() -> None:
    """Utterances, those of one word, minutes and speakers of each part, and what was dropped."""
    one, two = (Utterance(name, Path(name), text, name, 45.0) for name, text in (("a", "yes"), ("b", "oh no")))
    corpus = Corpus("en", "free", {"train": [one, two, two, two], "dev": [one]}, Counter({"no text": 1, "beep": 2000}))
    assert corpus.describe().splitlines() == [
        "en (free)",
        "  train: 4 utterances (1 of one word), 3.0 min, 2 speakers",
        "  dev: 1 utterances (1 of one word), 0.8 min, 1 speaker",
        "dropped: beep 2,000, no text 1",
    ]


def test_the_length_of_a_recording_and_of_what_is_none(tmp_path: Path, record: Record) -> None:
    """By its header, whatever its rate."""
    assert seconds_of(record(tmp_path / "a.wav", 1.25, rate=16_000)) == 1.25
    (tmp_path / "b.wav").write_text("no recording")
    for path in (tmp_path / "b.wav", tmp_path / "missing.wav"):
        with pytest.raises(DataError, match=f"{path.name} is not a recording"):
            seconds_of(path)


def test_english_corpora_that_are_not_fetched(tmp_path: Path) -> None:
    """Another language and a missing folder are wrong uses, and the errors say what to do."""
    check_english("en", "an4")
    with pytest.raises(UsageError, match=r"there is no de in it\. Leave --language out"):
        check_english("de", "an4")
    assert check_folder(tmp_path, "an4", "there") == tmp_path
    with pytest.raises(UsageError, match="get it from there and give its folder with --from-dir"):
        check_folder(None, "an4", "there")
