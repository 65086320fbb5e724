"""Preparation keeps what it should, counts what it took, and writes the same bytes for the same input."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from s2s.data.parallel_text import TextData
from s2s.data.prepare_text import PrepareTextOptions, prepare_text
from s2s.errors import DataError, UsageError
from s2s.text.cleaning import CleaningOptions
from tests.unit.data.conftest import PARTS, Pairs, write_parts

Prepare = Callable[..., TextData]

BAD: Pairs = [
    ("", "leer"),
    ("empty", "  "),
    ("a " * 201, "b " * 201),
    ("one", "eins " * 20),
    ("Hund", "Hund"),
    ("once", "einmal 1."),
    ("once", "einmal 1."),
    ("  spaces\tstay ", "\u2028 und Leerzeichen "),
]


def pairs_of(data: TextData, part: str) -> Pairs:
    split = data.segments(part)
    return list(zip(split.column("source"), split.column("target"), strict=True))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_only_the_training_part_is_filtered(prepare: Prepare) -> None:
    scored = [BAD[number] for number in (2, 3, 4, 5, 6, 7)]
    data = prepare({name: [*BAD, *PARTS[name]] for name in ("train", "dev", "test")})
    assert pairs_of(data, "train")[:2] == [BAD[5], BAD[7]]
    assert pairs_of(data, "dev") == [*scored, *PARTS["dev"]]
    assert pairs_of(data, "test") == [*scored, *PARTS["test"]]
    parts = data.manifest["parts"]
    taken = {"empty": 2, "too long": 1, "length ratio": 1, "copy of the source": 1, "duplicate": 1}
    duplicates = len(PARTS["train"]) - len(set(PARTS["train"]))
    assert parts["train"]["taken"] == {**taken, "duplicate": 1 + duplicates}
    assert parts["dev"]["taken"] == dict.fromkeys(taken, 0) | {"empty": 2}
    assert [parts[name]["read"] for name in ("train", "dev", "test")] == [408, 38, 28]
    assert all(part["read"] == part["kept"] + sum(part["taken"].values()) for part in parts.values())


def test_an_id_is_the_line_in_the_corpus(prepare: Prepare) -> None:
    data = prepare({"dev": [("a", "b"), ("", "c"), ("d", "e")]})
    assert data.segments("dev").column("id") == ["1", "3"]


def test_cleaning_is_as_the_options_say(prepare: Prepare) -> None:
    pairs = [*BAD, *PARTS["train"]]
    data = prepare({"train": pairs}, cleaning=CleaningOptions(max_length=300, max_ratio=50, keep_copies=True))
    assert pairs_of(data, "train")[:4] == [(BAD[n][0], BAD[n][1]) for n in (2, 3, 4, 5)]
    assert data.manifest["cleaning"] == {"max_length": 300, "max_ratio": 50, "keep_copies": True}


def test_the_counts_are_told(prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    prepare({"train": [*BAD[:5], *dict.fromkeys(PARTS["train"])]})
    told = capsys.readouterr()
    kept = len(dict.fromkeys(PARTS["train"]))
    assert (
        f"train: {kept} of {kept + 5} segments; taken by filters: "
        "empty 2, too long 1, length ratio 1, copy of the source 1\n" in told.err
    )
    assert "dev: 30 of 30 segments\n" in told.err
    assert told.out == ""


@pytest.mark.parametrize("units", ["unigram", "bpe", "characters"])
@pytest.mark.parametrize("joint", [True, False])
def test_ids_are_those_of_the_tokenizers(prepare: Prepare, units: str, joint: bool) -> None:
    data = prepare(units=units, joint=joint)
    assert data.codec.joint is joint
    assert data.manifest["tokenizer"] == {
        "units": units,
        "joint": joint,
        "source_size": data.codec.source.size,
        "target_size": data.codec.target.size,
    }
    rows = [3, 0, 17]
    for row, (source_ids, target_ids) in zip(rows, data.segments("dev").draw(rows, None).pairs, strict=True):
        source, target = PARTS["dev"][row]
        expected, masks = data.codec.encode_source(source)
        assert (source_ids, target_ids) == (expected, data.codec.encode_target(target, masks))
        assert data.codec.decode_target(target_ids, masks) == target


def test_separate_vocabularies_know_their_own_side_only(prepare: Prepare) -> None:
    pairs = [(f"qqq xxx {n}", f"ÄÄÄ ÖÖÖ {n}") for n in range(200)]
    data = prepare({"train": pairs}, joint=False)
    source, target = data.codec.source, data.codec.target
    assert any("q" in piece for piece in source.pieces(range(source.size)))
    assert not any("Ä" in piece for piece in source.pieces(range(source.size)))
    assert not any("q" in piece for piece in target.pieces(range(target.size)))


def test_placeholders_take_no_part_in_learning(prepare: Prepare) -> None:
    pairs = [(f"Hund {{kennung}} {source}", f"{{kennung}} Hund {target}") for source, target in PARTS["train"]]
    tokenizer = prepare({"train": pairs}).codec.source
    assert "k" not in "".join(tokenizer.pieces(range(276, tokenizer.size)))


def test_a_vocabulary_size_that_is_given_is_kept(prepare: Prepare) -> None:
    assert prepare(vocabulary_size=320).codec.source.size == 320


def test_the_same_input_gives_the_same_bytes(prepare: Prepare, tmp_path: Path) -> None:
    first, second = prepare(name="first"), prepare(name="second")
    assert contents(first.path) == contents(second.path)
    other = prepare({"dev": PARTS["dev"][:-1]}, name="other")
    changed = [name for name, data in contents(other.path).items() if data != contents(first.path)[name]]
    assert {name.split("/")[0] for name in changed} == {"dev", "manifest.json"}


def test_the_manifest_has_the_checksum_of_every_other_file(prepared: TextData) -> None:
    files = set(contents(prepared.path)) - {"manifest.json"}
    assert set(prepared.manifest["files"]) == files
    assert {"train", "dev", "test", "tokenizer"} == {name.split("/")[0] for name in files}


def test_further_test_parts_are_kept(prepare: Prepare) -> None:
    assert len(prepare({"test_2017": PARTS["test"][:5]}).segments("test_2017")) == 5


@pytest.mark.parametrize(
    ("part", "pairs", "message"),
    [
        ("train", [], "Nothing is left of 0 segments of train: its files are empty. Nothing was written."),
        ("train", [("a", "a"), ("b", "b"), ("", "c")], 'the filter "copy of the source" took most of them, 2.'),
        (
            "dev",
            [("a", ""), ("", "b")],
            'Nothing is left of 2 segments of dev: the filter "empty" took most of them, 2.',
        ),
    ],
)
def test_a_part_of_which_nothing_is_left_names_the_filter(
    prepare: Prepare, tmp_path: Path, part: str, pairs: Pairs, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        prepare({part: pairs})
    assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_wrong_options_are_told_before_anything_is_read(tmp_path: Path) -> None:
    sides = write_parts(tmp_path / "text", PARTS)
    without = {name: pair for name, pair in sides.items() if name != "dev"}
    with pytest.raises(UsageError, match="The part dev is missing"):
        prepare_text(PrepareTextOptions(without, ("en", "de"), tmp_path / "data"))
    with pytest.raises(UsageError, match="no effect with characters"):
        prepare_text(
            PrepareTextOptions(sides, ("en", "de"), tmp_path / "data", units="characters", vocabulary_size=300)
        )
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_the_manifest_tells_how_the_data_was_made(prepared: TextData) -> None:
    manifest = json.loads((prepared.path / "manifest.json").read_text())
    assert manifest == prepared.manifest
    assert (manifest["format"], manifest["version"], manifest["languages"]) == ("s2s text data", 1, ["en", "de"])
    assert set(manifest["versions"]) == {"s2s", "sentencepiece", "datasets", "pyarrow"}
