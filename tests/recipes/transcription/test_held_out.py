"""Recordings to try a model on: of the test part, of several words, named by what is said."""

from pathlib import Path

from recipes.transcription.held_out import copy_held_out
from s2s.data.speech import open_speech
from tests.tones import prepare_tones


def test_recordings_of_the_test_part_are_copied(tmp_path: Path) -> None:
    data = prepare_tones(tmp_path)
    copy_held_out(data)
    spoken = {path.stem.replace("-", " "): path.read_bytes() for path in (data / "held-out").iterdir()}
    test = open_speech(data).segments("test")
    recorded = {record["target"]: (data / record["audio"]).read_bytes() for record in test.records()}
    assert 1 <= len(spoken) <= 5
    assert all(len(text.split()) > 1 for text in spoken)
    assert all(text in recorded for text in spoken)
