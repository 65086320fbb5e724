"""Sides of a corpus from every kind of place, and one clear sentence for what cannot be read."""

import gzip
import json
import time
from pathlib import Path

import pytest

from s2s.errors import DataError, S2SError, UsageError
from s2s.text.readers import Side, read_pairs

TEXTS = ["one", "", "zwei \u2028 zwei", "three\ttabs"]


def write(path: Path, *lines: str) -> Path:
    data = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(spec: object) -> list[str]:
    return list(Side(str(spec)))


@pytest.mark.parametrize("name", ["train.de", "train.de.gz", "train.tsv.de", "with#mark@and:colon"])
def test_plain_files(tmp_path: Path, name: str) -> None:
    assert read(write(tmp_path / name, *TEXTS)) == TEXTS


@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.tsv.gz", "odd#name.tsv"])
def test_columns_of_a_table(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "a\tb\tc", "\td", 'quote"\t"e')
    assert read(f"{path}#1") == ["a", "", 'quote"']
    assert read(f"{path}#2") == ["b", "d", '"e']


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.jsonl.gz"])
def test_fields_of_json_lines(tmp_path: Path, name: str) -> None:
    rows = [{"id": 1, "de": "zwei\r\nZeilen", "translation": {"en": "x"}}, {"de": "ü\u2028", "translation": {"en": ""}}]
    path = write(tmp_path / name, *map(json.dumps, rows))
    assert read(f"{path}#de") == ["zwei  Zeilen", "ü\u2028"]
    assert read(f"{path}#translation.en") == ["x", ""]


@pytest.mark.parametrize(
    ("name", "lines", "mark", "message"),
    [
        ("a.tsv", ["1\t2", "3"], "#2", r"a\.tsv, line 2: there is no column 2, only 1"),
        ("a.jsonl", ['{"de": "x"}', "{"], "#de", r"a\.jsonl, line 2 is not JSON"),
        ("a.jsonl", ['{"de": "x"}', "", '{"de": "y"}'], "#de", r"a\.jsonl, line 2 is not JSON"),
        ("a.jsonl", ["[" * 100_000], "#de", r"a\.jsonl, line 1 is not JSON"),
        ("a.jsonl", ['{"de": "x"}', '{"en": "x"}'], "#de", r"a\.jsonl, line 2: the field de is missing or no text"),
        ("a.jsonl", ['{"de": 3}'], "#de", "line 1: the field de is missing or no text"),
        ("a.jsonl", ['{"de": "x"}'], "#de.en", r"line 1: the field de\.en is missing or no text"),
        ("a.jsonl", ['{"de": "\\ud83d"}'], "#de", "line 1: the field de holds half a surrogate pair"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_by_line(
    tmp_path: Path, name: str, lines: list[str], mark: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(f"{write(tmp_path / name, *lines)}{mark}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nothing.de", "There is no file .*nothing.de"),
        (".", "There is no file"),
        ("a.tsv", "names no column or field"),
        ("a.tsv#0", "a column of a table is a number from 1"),
        ("a.tsv#de", "a column of a table is a number from 1"),
        ("a.jsonl", "names no column or field"),
        ("a.txt#1", "names a column of a plain file"),
        ("datasets:a@train", "names no column or field"),
    ],
)
def test_a_spec_that_is_none_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.tsv", "a.jsonl", "a.txt"):
        write(tmp_path / name, "1")
    with pytest.raises(UsageError, match=message):
        read(spec)


@pytest.mark.parametrize(("first", "second"), [(3, 3), (0, 0), (3, 2), (2, 3), (0, 1), (5, 1)])
def test_unequal_sides_are_counted_in_full(tmp_path: Path, first: int, second: int) -> None:
    source = Side(str(write(tmp_path / "a.en", *"vwxyz"[:first])))
    target = Side(str(write(tmp_path / "a.de", *"VWXYZ"[:second])))
    pairs = read_pairs(source, target)
    if first == second:
        assert list(pairs) == list(zip("vwxyz"[:first], "VWXYZ"[:first], strict=True))
        return
    with pytest.raises(DataError, match=rf"a\.en has {first} lines but .*a\.de has {second}\. Nothing was written"):
        list(pairs)


class TestDataSets:
    """Local data sets; nothing here needs a network."""

    @pytest.fixture
    def rows(self) -> list[dict[str, object]]:
        return [{"translation": {"en": f"line {n}", "de": f"Zeile {n}"}} for n in range(5)]

    def test_a_folder_that_was_saved(self, tmp_path: Path, rows: list[dict[str, object]]) -> None:
        import datasets

        one = datasets.Dataset.from_list(rows)
        one.save_to_disk(tmp_path / "one")
        datasets.DatasetDict(train=one, dev=one.select([1])).save_to_disk(tmp_path / "several")
        german = [f"Zeile {n}" for n in range(5)]
        assert read(f"datasets:{tmp_path}/one#translation.de") == german
        assert read(f"datasets:{tmp_path}/several@train#translation.de") == german
        assert read(f"datasets:{tmp_path}/several@dev#translation.de") == ["Zeile 1"]
        with pytest.raises(UsageError, match="has several splits: name one of train, dev"):
            read(f"datasets:{tmp_path}/several#translation.de")
        with pytest.raises(UsageError, match="has no split test: name one of train, dev"):
            read(f"datasets:{tmp_path}/several@test#translation.de")
        with pytest.raises(UsageError, match="has no splits: leave out @train"):
            read(f"datasets:{tmp_path}/one@train#translation.de")
        with pytest.raises(DataError, match=r"line 1: the field translation\.fr is missing"):
            read(f"datasets:{tmp_path}/one#translation.fr")

    @pytest.mark.parametrize("kind", ["parquet", "jsonl"])
    def test_a_folder_of_files(self, tmp_path: Path, rows: list[dict[str, object]], kind: str) -> None:
        import datasets

        folder = tmp_path / "data@home"
        folder.mkdir()
        table = datasets.Dataset.from_list(rows)
        if kind == "parquet":
            table.to_parquet(folder / "train.parquet")
        else:
            table.to_json(folder / "train.jsonl")
        assert read(f"datasets:{folder}@train#translation.en") == [f"line {n}" for n in range(5)]

    @pytest.mark.parametrize("name", ["nobody/nothing", "nobody/nothing:de-en", "/no/such/folder"])
    def test_what_cannot_be_loaded_says_the_cure(self, name: str) -> None:
        with pytest.raises(S2SError, match=rf"The data set {name} cannot be loaded: .*give its folder"):
            read(f"datasets:{name}@train#de")

    def test_a_hub_that_does_not_answer_is_told_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        began = time.monotonic()
        with pytest.raises(DataError, match=r"The data set nobody/nothing cannot be loaded: .*Connection refused"):
            read("datasets:nobody/nothing@train#de")
        assert time.monotonic() - began < 5
