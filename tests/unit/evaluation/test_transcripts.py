"""Transcripts: plain lines and JSON Lines, matched by line or by id, and what is wrong with them."""

import gzip
import json
from pathlib import Path

import pytest

from s2s.errors import DataError
from s2s.evaluation.transcripts import Transcripts, match, read_transcripts

REFERENCES = Transcripts("ref.jsonl", ["one", "two", "three"], ["a", "b", "c"])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_plain_lines_have_neither_ids_nor_speakers(folder: Path) -> None:
    """Empty ones count; what looks like JSON is text."""
    (folder / "hyp.txt").write_text('one\n\n{"id": "a"}\n', encoding="utf-8")
    assert read_transcripts("hyp.txt") == Transcripts("hyp.txt", ["one", "", '{"id": "a"}'])


@pytest.mark.parametrize("name", ["ref.csv", "ref.tsv.gz"])
def test_a_table_is_no_text(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} is a table by its name: give plain lines"):
        read_transcripts(name)


@pytest.mark.parametrize("name", ["hyp.jsonl", "hyp.jsonl.gz"])
def test_json_lines(folder: Path, name: str) -> None:
    """Whole numbers are names too; a speaker may be missing, null or empty; other keys are not regarded."""
    rows = [
        {"id": "u1", "text": "grün", "speaker": "anna", "audio": "1.wav"},
        {"id": 2, "text": "", "speaker": 7},
        {"id": "u3", "text": "x", "speaker": None},
        {"id": "u4", "text": "y", "speaker": ""},
        {"id": "u5", "text": "z"},
    ]
    data = "".join(f"{json.dumps(row)}\r\n" for row in rows).encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    found = read_transcripts(name)
    assert found.texts == ["grün", "", "x", "y", "z"]
    assert found.ids == ["u1", "2", "u3", "u4", "u5"]
    assert found.speakers == ["anna", "7", None, None, None]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is not JSON: Expecting property name enclosed in double quotes at character 2."),
        ("", "line 2 is not JSON"),
        ("[" * 100_000, "line 2 is not JSON that can be read"),
        ('{"id": ' + "9" * 5000 + "}", "line 2 is not JSON that can be read"),
        ("[1]", "line 2 is no JSON object with id and text."),
        ('{"text": "x"}', "line 2: the field id is missing."),
        ('{"id": null, "text": "x"}', "line 2: the field id is missing."),
        ('{"id": "", "text": "x"}', "line 2: the field id is missing."),
        ('{"id": 1.5, "text": "x"}', "line 2: the field id is neither text nor a whole number."),
        ('{"id": true, "text": "x"}', "line 2: the field id is neither text nor a whole number."),
        ('{"id": "b"}', "line 2: the field text is missing or no text."),
        ('{"id": "b", "text": ["x"]}', "line 2: the field text is missing or no text."),
        ('{"id": "b", "text": "x", "speaker": {}}', "line 2: the field speaker is neither text nor a whole number."),
        ('{"id": "b", "text": "\\ud800"}', "line 2: the field text holds half a surrogate pair."),
        ('{"id": "\\ud800", "text": "x"}', "line 2: the field id holds half a surrogate pair."),
        ('{"id": "a", "text": "x"}', "line 2: the id 'a' stands on line 1 already."),
        ('{"id": "b", "text": "\\udcff\udcff"}', "line 2, byte 28: 0xff is not valid UTF-8"),
    ],
    ids=range(17),
)
def test_bad_json_lines_are_named(folder: Path, line: str, message: str) -> None:
    """By file and line."""
    text = f'{{"id": "a", "text": "x"}}\n{line}\n'
    (folder / "bad.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError) as caught:
        read_transcripts("bad.jsonl")
    assert f"bad.jsonl, {message}" in str(caught.value)


def test_ids_match_in_any_order() -> None:
    """The texts come in the order of the references."""
    system = Transcripts("hyp.jsonl", ["C", "A", "B"], ["c", "a", "b"])
    assert match(REFERENCES, [system]) == {"hyp.jsonl": ["A", "B", "C"]}


def test_lines_match_by_place_where_one_side_has_no_ids() -> None:
    """Either side."""
    lines = Transcripts("hyp", ["A", "B", "C"])
    assert match(REFERENCES, [lines]) == {"hyp": ["A", "B", "C"]}
    other = Transcripts("hyp.jsonl", ["C", "A", "B"], ["c", "a", "b"])
    assert match(lines, [other]) == {"hyp.jsonl": ["C", "A", "B"]}


def test_all_differences_in_ids_are_named_at_once() -> None:
    """In every system; of many ids the first."""
    one = Transcripts("one.jsonl", ["x", "y"], ["a", "d"])
    two = Transcripts("two.jsonl", ["x"] * 11, ["a", "b", "c", *"ghijklmn"])
    with pytest.raises(DataError) as caught:
        match(REFERENCES, [one, two])
    assert str(caught.value) == (
        "one.jsonl lacks 2 ids: 'b', 'c', which ref.jsonl has. one.jsonl has the id 'd', which ref.jsonl lacks. "
        "two.jsonl has 8 ids: 'g', 'h', 'i', 'j', 'k' and 3 more, which ref.jsonl lacks. Nothing was scored."
    )


def test_unequal_and_zero_numbers_of_lines_are_refused() -> None:
    """As for translations."""
    with pytest.raises(DataError, match=r"hyp has 1, ref.jsonl has 3. Nothing was scored"):
        match(REFERENCES, [Transcripts("hyp", ["x"])])
    with pytest.raises(DataError, match=r"no lines in hyp.jsonl and ref.jsonl"):
        match(Transcripts("ref.jsonl", [], [], []), [Transcripts("hyp.jsonl", [], [], [])])
