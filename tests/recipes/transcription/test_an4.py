"""AN4: the official layout, split by speaker."""

from pathlib import Path

import pytest

from recipes.corpora import DOWNLOADS
from recipes.transcription.corpora import an4
from s2s.errors import DataError, UsageError
from tests.recipes.transcription.conftest import Record

SPEAKERS = [f"m{letter}" for letter in "abcdefghijklmnopqrst"]


@pytest.fixture
def folder(tmp_path: Path, record: Record) -> Path:
    """Twenty speakers with two utterances each in the training part."""
    write_part(tmp_path, record, "an4_train", "an4_clstk", SPEAKERS)
    return tmp_path


def write_part(folder: Path, record: Record, name: str, wav: str, speakers: list[str], marks: bool = True) -> None:
    """An official part whose utterances say their speaker's number."""
    (folder / "etc").mkdir(exist_ok=True)
    names = [(speaker, f"an{number}-{speaker}-b") for speaker in speakers for number in (1, 2)]
    begin, end = ("<s> ", " </s>") if marks else ("", "")
    transcription = "".join(f"{begin}YES {speaker.upper()}{end} ({file})\n" for speaker, file in reversed(names))
    (folder / f"etc/{name}.fileids").write_text("".join(f"{wav}/{speaker}/{file}\n" for speaker, file in names))
    (folder / f"etc/{name}.transcription").write_text(transcription)
    for speaker, file in names:
        record(folder / f"wav/{wav}/{speaker}/{file}.wav", 0.25, rate=16_000)


def test_speakers_are_never_torn(folder: Path, tmp_path: Path) -> None:
    """Eight for dev, eight for test, the others for training, the same every time; markup and capitals go."""
    corpus = an4.read("en", folder, tmp_path / "work")
    speakers = {name: {utterance.speaker for utterance in part} for name, part in corpus.parts.items()}
    assert {name: len(found) for name, found in speakers.items()} == {"train": 4, "dev": 8, "test": 8}
    assert set.union(*speakers.values()) == set(SPEAKERS)
    assert sum(map(len, corpus.parts.values())) == 40
    assert speakers["train"] == {"mb", "md", "me", "mm"}
    for part in corpus.parts.values():
        for utterance in part:
            assert utterance.text == f"yes {utterance.speaker}"
            assert utterance.audio == folder / f"wav/an4_clstk/{utterance.speaker}/{utterance.id}.wav"
            assert utterance.seconds == 0.25


def test_the_official_test_part_is_a_further_part(folder: Path, tmp_path: Path, record: Record) -> None:
    """Where it is there, in its own order; its transcripts have no marks of begin and end."""
    write_part(folder, record, "an4_test", "an4test_clstk", ["fx", "fy"], marks=False)
    parts = an4.read("en", folder, tmp_path / "work").parts
    assert list(parts) == ["train", "dev", "test", "test_official"]
    assert [utterance.id for utterance in parts["test_official"]] == ["an1-fx-b", "an2-fx-b", "an1-fy-b", "an2-fy-b"]
    assert [utterance.text for utterance in parts["test_official"]] == ["yes fx", "yes fx", "yes fy", "yes fy"]


def test_sphere_files_will_do(folder: Path, tmp_path: Path, record: Record) -> None:
    """The corpus was published as such; headerless files are refused with the cure."""
    path = folder / "wav/an4_clstk/ma/an1-ma-b.wav"
    path.unlink()
    record(path.with_suffix(".sph"), 0.75, rate=16_000)
    parts = an4.read("en", folder, tmp_path / "work").parts
    (found,) = [utterance for part in parts.values() for utterance in part if utterance.id == "an1-ma-b"]
    assert (found.audio.suffix, found.seconds) == (".sph", 0.75)
    path.with_suffix(".sph").rename(path.with_suffix(".raw"))
    with pytest.raises(DataError, match=r"an1-ma-b\.wav is missing, .*\.sph: \.raw files need to be converted"):
        an4.read("en", folder, tmp_path / "work")


def test_files_that_do_not_belong_together_are_refused(folder: Path, tmp_path: Path) -> None:
    """Transcripts without a name, files without a transcript, too few speakers, no files at all."""
    path = folder / "etc/an4_train.transcription"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "<s> NO </s>"]))
    with pytest.raises(DataError, match=r"an4_train\.transcription has a line that is not of the form TEXT \(NAME\)"):
        an4.read("en", folder, tmp_path / "work")
    path.write_text("\n".join(lines[1:]))
    with pytest.raises(DataError, match=r"lacks 1 of the 40 files of an4_train\.fileids, an4_clstk/mt/an2-mt-b first"):
        an4.read("en", folder, tmp_path / "work")
    few = "".join(f"an4_clstk/{speaker}/an1-{speaker}-b\n" for speaker in SPEAKERS[:16])
    (folder / "etc/an4_train.fileids").write_text(few)
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match="more than 16 speakers to be split, not 16"):
        an4.read("en", folder, tmp_path / "work")
    with pytest.raises(DataError, match=r"an4_train\..* cannot be read"):
        an4.read("en", tmp_path / "etc", tmp_path / "work")
    with pytest.raises(UsageError, match="an4 is not fetched"):
        an4.read("en", None, tmp_path / "work")


def test_the_real_corpus(tmp_path: Path) -> None:
    """Where it is; the counts are those of the README."""
    folder = DOWNLOADS / "an4"
    if not folder.exists():
        pytest.skip("AN4 is not here")
    parts = an4.read("en", folder, tmp_path).parts
    sizes = {name: len(part) for name, part in parts.items() if name != "test_official"}
    assert sizes == {"train": 739, "dev": 103, "test": 106}
    texts = {utterance.id: utterance.text for part in parts.values() for utterance in part}
    assert texts["an251-fash-b"] == "yes"
    speakers = [{utterance.speaker for utterance in parts[name]} for name in sizes]
    assert [len(found) for found in speakers] == [58, 8, 8]
    assert len(set.union(*speakers)) == 74
