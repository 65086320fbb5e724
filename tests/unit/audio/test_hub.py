"""Data sets with audio: bytes or paths, nothing decoded, nothing written; no network."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import datasets
import pytest

from s2s.audio.hub import read_dataset
from s2s.audio.manifests import read_manifest
from s2s.audio.reading import probe
from s2s.audio.sources import InMemoryAudio
from s2s.errors import DataError, UsageError
from tests.unit.audio.sounds import encoded, tone, write


def saved(folder: Path, rows: list[dict[str, Any]], decoded: bool = True) -> Path:
    """Rows as `save_to_disk` writes them, the audio as a column of audio if `decoded` would decode it."""
    table = datasets.Dataset.from_list(rows)
    if decoded:
        table = table.cast_column("audio", datasets.Audio(decode=False)).cast_column("audio", datasets.Audio())
    datasets.DatasetDict(train=table, dev=table.select([0])).save_to_disk(folder)
    return folder


def test_audio_as_bytes(tmp_path: Path) -> None:
    data = encoded(tone(0.5), kind="flac")
    rows = [
        {"id": f"u{n}", "audio": {"bytes": data, "path": f"{n}.flac"}, "text": "x", "speaker_id": 7} for n in (1, 2)
    ]
    folder = saved(tmp_path / "data", rows)
    found = list(read_manifest(f"datasets:{folder}@train"))
    assert [(one.id, one.text, one.speaker, one.offset, one.duration) for one in found] == [
        ("u1", "x", "7", 0.0, None),
        ("u2", "x", "7", 0.0, None),
    ]
    for number, one in enumerate(found, start=1):
        assert isinstance(one.audio, InMemoryAudio)
        assert (one.audio.name, one.audio.getvalue()) == (f"{number}.flac", data)
        assert probe(one.audio).seconds == 0.5
    assert len(list(read_manifest(f"datasets:{folder}@dev"))) == 1


def test_audio_as_paths(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(0.5))
    rows = [{"id": 5, "audio": str(path), "sentence": "hello"}, {"id": 5, "audio": str(path), "sentence": "you"}]
    folder = saved(tmp_path / "data", rows, decoded=False)
    found = list(read_dataset(f"datasets:{folder}@train#sentence", True))
    assert [(one.id, one.audio, one.text, one.speaker) for one in found] == [
        ("1", path, "hello", None),
        ("2", path, "you", None),
    ]
    assert [one.text for one in read_dataset(f"datasets:{folder}@train", False)] == [None, None]


def test_a_folder_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "a.wav", tone(0.5))
    datasets.Dataset.from_list([{"id": "a", "audio": "a.wav", "text": "x"}]).to_json(folder / "train.jsonl")
    (found,) = read_manifest(f"datasets:{folder}@train")
    assert found.audio == folder / "a.wav"


def test_parquet_as_on_the_hub(tmp_path: Path) -> None:
    data = encoded(tone(0.5), kind="mp3")
    table = datasets.Dataset.from_list([{"id": "a", "audio": {"bytes": data, "path": "a.mp3"}, "text": "x"}])
    (tmp_path / "data").mkdir()
    table.cast_column("audio", datasets.Audio()).to_parquet(tmp_path / "data" / "train-00000-of-00001.parquet")
    (found,) = read_manifest(f"datasets:{tmp_path}/data@train")
    assert isinstance(found.audio, InMemoryAudio)
    assert found.audio.getvalue() == data


@pytest.mark.skipif(find_spec("torchcodec") is not None, reason="torchcodec is installed")
def test_what_datasets_itself_cannot_do_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "data" / "a.wav", tone(0.5))
    (path.parent / "metadata.jsonl").write_text('{"file_name": "a.wav", "text": "x"}\n')
    with pytest.raises(DataError, match=r"cannot be loaded: .*torchcodec"):
        list(read_manifest(f"datasets:{path.parent}@train"))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("{}", "has several splits: name one of train, dev as datasets:NAME@SPLIT"),
        ("{}@test", "has no split test: name one of train, dev"),
        ("{}@train", r"has no column text, only id, audio, sentence\. It is given as .*#COLUMN"),
    ],
)
def test_no_such_part_or_column(tmp_path: Path, form: str, message: str) -> None:
    folder = saved(tmp_path / "data", [{"id": "a", "audio": "a.wav", "sentence": "x"}], decoded=False)
    with pytest.raises(UsageError, match=message):
        list(read_manifest("datasets:" + form.format(folder)))


def test_no_audio(tmp_path: Path) -> None:
    datasets.Dataset.from_list([{"text": "x"}]).save_to_disk(tmp_path / "one")
    with pytest.raises(UsageError, match="has no column audio, only text"):
        list(read_manifest(f"datasets:{tmp_path}/one"))
    with pytest.raises(UsageError, match="has no splits: leave out @train"):
        list(read_manifest(f"datasets:{tmp_path}/one@train"))
    folder = saved(tmp_path / "none", [{"audio": "a.wav", "text": "x"}, {"audio": None, "text": "x"}], decoded=False)
    with pytest.raises(DataError, match="none, row 2: audio is missing"):
        list(read_manifest(f"datasets:{folder}@train"))


def test_what_cannot_be_loaded_says_the_cure() -> None:
    with pytest.raises(DataError, match=r"The data set nobody/nothing cannot be loaded: .*give its folder"):
        list(read_manifest("datasets:nobody/nothing@train"))
