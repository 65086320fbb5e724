"""prepare.py: from a folder of recordings to prepared data that needs nothing outside of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import soundfile

from recipes.transcription import prepare
from recipes.transcription.corpora.digits import WORDS
from s2s.data.speech import open_speech
from s2s.errors import DataError, UsageError


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder of FSDD's shape: ten recordings of each digit by one speaker, of noise."""
    draw = numpy.random.default_rng(1)
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for digit in range(10):
        for index in range(10):
            noise = draw.integers(-3000, 3000, 2400, dtype="int16")
            soundfile.write(str(folder / f"{digit}_ann_{index}.wav"), noise, 8000, subtype="PCM_16")
    return folder.parent


def run(*arguments: object) -> None:
    """The script's command in this process."""
    prepare.command.main([str(argument) for argument in arguments], standalone_mode=False)


def test_a_corpus_becomes_prepared_data_with_its_origin(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All parts with their counts; audio and texts are there when the recordings are gone."""
    data = tmp_path / "data"
    run("digits", "--from-dir", recordings, "--output", data)
    assert "test: 50 utterances (0 of one word)" in capsys.readouterr().err
    shutil.rmtree(recordings)
    prepared = open_speech(data)
    assert list(prepared.manifest["parts"]) == ["train", "dev", "test", "test_isolated"]
    assert [len(prepared.segments(part)) for part in prepared.manifest["parts"]] == [20, 50, 50, 50]
    assert prepared.manifest["features"]["normalisation"] == "global"
    strings = prepared.segments("test")
    assert set(strings.column("speaker")) == {"ann"}
    assert all(3 <= len(text.split()) <= 7 for text in strings.references())
    origin = json.loads((data / "corpus.json").read_text(encoding="utf-8"))
    assert origin == {"corpus": "digits", "licence": "Free Spoken Digit Dataset, CC BY-SA 4.0", "dropped": {}}
    files = [path for path in data.glob("audio/*.wav") if path.is_file()]
    assert len(files) == 20 + 50 + 50 + 50


def test_each_digit_is_a_unit_of_its_own_unless_others_are_asked_for(recordings: Path, tmp_path: Path) -> None:
    run("digits", "--from-dir", recordings, "--output", tmp_path / "words")
    target = open_speech(tmp_path / "words").codec.target
    assert [target.pieces(target.encode(word)) for word in WORDS] == [[f"\u2581{word}"] for word in WORDS]
    run(
        "digits",
        "--from-dir",
        recordings,
        "--output",
        tmp_path / "letters",
        "--units",
        "characters",
        "--normalisation",
        "utterance",
    )
    assert open_speech(tmp_path / "letters").codec.statistics is None
    target = open_speech(tmp_path / "letters").codec.target
    assert target.pieces(target.encode("six")) == ["\u2581", "s", "i", "x"]


def test_nothing_is_fetched_when_the_output_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus is not even opened."""
    monkeypatch.setitem(prepare.CORPORA, "asterisk", lambda *arguments: pytest.fail("it was read"))
    with pytest.raises(UsageError, match="exists already"):
        run("asterisk", "--output", tmp_path)


def test_a_failure_leaves_nothing_behind(recordings: Path, tmp_path: Path) -> None:
    """Neither data nor an origin."""
    (recordings / "recordings/7_ann_2.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"7_ann_2\.wav is not a recording"):
        run("digits", "--from-dir", recordings, "--output", tmp_path / "data")
    assert [path.name for path in tmp_path.iterdir()] == ["fsdd"]


def test_the_scripts_run_from_anywhere_and_end_with_the_codes_of_s2s(project: Path, tmp_path: Path) -> None:
    """They find their modules by themselves; a wrong use is 2, an error that is told 1."""
    folder = project / "recipes/transcription"

    def call(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(folder / script), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "asterisk" in call("prepare.py", "--help").stdout
    wrong = call("prepare.py", "an4", "--output", "data")
    assert wrong.returncode == 2
    assert "--from-dir" in wrong.stderr
    missing = call("prepare.py", "asterisk", "--from-dir", ".", "--output", "data")
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: ")
    assert list(tmp_path.iterdir()) == []
    assert "--data" in call("train.py", "--help").stdout
