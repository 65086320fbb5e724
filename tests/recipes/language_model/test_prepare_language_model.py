"""prepare.py: the text, the split and the tokenizer of data that is prepared for another recipe."""

import json
from pathlib import Path

import numpy
import pytest
import soundfile

from recipes.language_model import prepare
from s2s.data.monolingual import MonolingualData
from s2s.data.parallel_text import open_text
from s2s.data.prepare_audio import PrepareAudioOptions, prepare_audio
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.data.prepared import open_data
from s2s.data.speech import open_speech
from s2s.errors import DataError, UsageError
from s2s.files import write_json, write_text
from s2s.text.readers import Side
from s2s.text.vocabulary import EOS

PAIRS = [(f"Das Haus {number}, {{name}}.", f"House number {number}, {{name}}.") for number in range(40)]
SPLIT = {"train": PAIRS[:32], "dev": PAIRS[32:36], "test": PAIRS[36:38], "test_more": PAIRS[38:]}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared parallel text, with its origin."""
    folder = tmp_path_factory.mktemp("pairs")
    parts = {}
    for name, chosen in SPLIT.items():
        for side, code in enumerate(("de", "en")):
            write_text(folder / f"{name}.{code}", "".join(f"{pair[side]}\n" for pair in chosen))
        parts[name] = (Side(str(folder / f"{name}.de")), Side(str(folder / f"{name}.en")))
    prepare_text(PrepareTextOptions(parts, ("de", "en"), folder / "data", joint=False))
    write_json(folder / "data" / "corpus.json", {"corpus": "houses", "licence": "free", "dropped": {}})
    return folder / "data"


def run(*arguments: object) -> None:
    """The script's command in this process."""
    prepare.command.main([str(argument) for argument in arguments], standalone_mode=False)


def opened(folder: Path) -> MonolingualData:
    """What the script wrote."""
    data = open_data(folder)
    assert isinstance(data, MonolingualData)
    return data


@pytest.mark.parametrize(("side", "column", "language"), [("source", 0, "de"), ("target", 1, "en")])
def test_one_side_of_a_translation_corpus(pairs: Path, tmp_path: Path, side: str, column: int, language: str) -> None:
    """All parts in their order, with the tokens that the translator reads or writes."""
    run("translation", "--data", pairs, "--side", side, "--output", tmp_path / "lines")
    data, given = opened(tmp_path / "lines"), open_text(pairs)
    assert data.languages == (language,)
    assert data.codec.target.model == getattr(given.codec, side).model
    for name, chosen in SPLIT.items():
        assert data.segments(name).references() == [pair[column] for pair in chosen]
        ids = given.table(name).data.column(f"{side}_ids").to_pylist()
        ended = [line if line[-1] == EOS else [*line, EOS] for line in ids]
        assert data.table(name).data.column("target_ids").to_pylist() == ended
    origin = json.loads((tmp_path / "lines" / "corpus.json").read_text(encoding="utf-8"))
    assert origin == {"corpus": "houses", "licence": "free", "dropped": {}}


def test_extra_lines_follow_those_of_the_corpus_and_hold_none_of_dev_and_test(pairs: Path, tmp_path: Path) -> None:
    """Case, spaces and punctuation do not hide one."""
    extra = tmp_path / "extra.en"
    extra.write_text(
        "A new line\nhouse number 33 {name}\nHOUSE NUMBER 39, {name}!\n\nHouse number 3\n", encoding="utf-8"
    )
    run("translation", "--data", pairs, "--extra", extra, "--output", tmp_path / "lines")
    lines = opened(tmp_path / "lines").segments("train").references()
    assert lines == [*(target for _, target in SPLIT["train"]), "A new line", "House number 3"]
    origin = json.loads((tmp_path / "lines" / "corpus.json").read_text(encoding="utf-8"))
    assert (origin["corpus"], origin["dropped"]) == ("houses extra", {"also in dev or test": 2})


def test_transcripts_of_prepared_audio(tmp_path: Path) -> None:
    """In the characters that the transcriber writes."""
    texts = {"train": ["yes", "no", "yes no"], "dev": ["no yes"], "test": ["no"]}
    manifests = {}
    for name, lines in texts.items():
        rows = [{"id": f"{name}{n}", "audio": f"{name}{n}.wav", "text": text} for n, text in enumerate(lines)]
        for row in rows:
            soundfile.write(tmp_path / row["audio"], numpy.tile([9000, -9000], 2000).astype("int16"), 8000)
        manifests[name] = str(tmp_path / f"{name}.jsonl")
        write_text(tmp_path / f"{name}.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    prepare_audio(PrepareAudioOptions(manifests, "en", tmp_path / "speech"))
    run("transcription", "--data", tmp_path / "speech", "--output", tmp_path / "lines")
    data = opened(tmp_path / "lines")
    assert data.codec.target.model == open_speech(tmp_path / "speech").codec.target.model
    assert {name: data.segments(name).references() for name in texts} == texts
    assert json.loads((tmp_path / "lines" / "corpus.json").read_text(encoding="utf-8"))["corpus"] == "speech"


def test_what_cannot_be_prepared_is_told_in_a_sentence(pairs: Path, tmp_path: Path) -> None:
    """And nothing is written."""
    output = tmp_path / "lines"
    with pytest.raises(DataError, match="holds text and no audio"):
        run("transcription", "--data", pairs, "--output", output)
    with pytest.raises(UsageError, match="--side has no effect on transcripts"):
        run("transcription", "--data", pairs, "--side", "target", "--output", output)
    with pytest.raises(UsageError, match=r"There is no file .*none\.en"):
        run("translation", "--data", pairs, "--extra", tmp_path / "none.en", "--output", output)
    assert not output.exists()
    with pytest.raises(UsageError, match="exists already"):
        run("translation", "--data", pairs, "--output", tmp_path)
