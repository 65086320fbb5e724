"""Multi30k from a folder, and what is said when there is none and no network."""

import gzip
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from recipes.translation.corpora import multi30k
from s2s.errors import DataError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Every part in de, en and fr; de is compressed."""
    for name in ("train", "val", "test_2016_flickr", "test_2017_flickr"):
        for language in ("de", "en", "fr"):
            text = "".join(f"{name} {language} {number} \n" for number in range(3)).encode()
            path = tmp_path / f"{name}.{language}"
            path.with_name(f"{path.name}.gz").write_bytes(
                gzip.compress(text)
            ) if language == "de" else path.write_bytes(text)
    return tmp_path


@pytest.mark.parametrize("languages", [("de", "en"), ("en", "fr"), ("fr", "de")])
def test_parts_have_the_librarys_names_and_segments_stay_as_they_are(folder: Path, languages: tuple[str, str]) -> None:
    """val is dev, and the test of 2016 is the test; trailing spaces are kept."""
    corpus = multi30k.read(languages, folder)
    assert list(corpus.parts) == ["train", "dev", "test", "test_2017_flickr"]
    assert corpus.parts["dev"][1] == (f"val {languages[0]} 1 ", f"val {languages[1]} 1 ")
    assert corpus.parts["test"][2] == (f"test_2016_flickr {languages[0]} 2 ", f"test_2016_flickr {languages[1]} 2 ")


def test_the_second_test_is_optional(folder: Path) -> None:
    """The first is not."""
    (folder / "test_2017_flickr.en").unlink()
    assert list(multi30k.read(("en", "fr"), folder).parts) == ["train", "dev", "test"]
    (folder / "test_2016_flickr.en").unlink()
    with pytest.raises(DataError, match=r"lacks test_2016_flickr\.en"):
        multi30k.read(("en", "fr"), folder)


def test_missing_languages_and_unequal_files_are_refused(folder: Path, tmp_path: Path) -> None:
    """With what is there instead."""
    with pytest.raises(DataError, match=r"lacks train\.cs .*languages are de, en, fr"):
        multi30k.read(("en", "cs"), folder)
    (folder / "val.en").write_text("one line\n")
    with pytest.raises(DataError, match=r"val\.de\.gz has 3 lines but .*val\.en has 1"):
        multi30k.read(("de", "en"), folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no train files"):
        multi30k.read(("de", "en"), tmp_path / "empty")


def test_without_a_folder_it_comes_from_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns are named by language."""
    rows = [{"de": "Ein Hund.", "en": "A dog."}]
    hub = SimpleNamespace(load_dataset=lambda name: {"train": rows, "validation": rows, "test": rows})
    monkeypatch.setitem(sys.modules, "datasets", hub)
    parts = multi30k.read(("en", "de")).parts
    assert parts == {part: [("A dog.", "Ein Hund.")] for part in ("train", "dev", "test")}


def test_offline_the_way_round_is_named() -> None:
    """The tests run offline; the hub has two of the languages."""
    with pytest.raises(DataError, match="--from-dir"):
        multi30k.read(("de", "en"))
    with pytest.raises(UsageError, match="de and en only"):
        multi30k.read(("de", "fr"))
