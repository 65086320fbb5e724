"""Prepared data opens as it was written, and says which file is missing or damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from s2s.config import RunConfig
from s2s.data.parallel_text import TextData, open_text
from s2s.errors import ConfigError, DataError
from s2s.text.tokenizer import train_tokenizer
from s2s.text.tokenizers import Tokenizers
from tests.unit.data.conftest import PARTS

LIMIT = {"training": {"max_updates": 1}}


@pytest.fixture
def folder(prepared: TextData, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(prepared.path, tmp_path / "copy"))


def test_text_stays_raw(prepared: TextData) -> None:
    dev = prepared.segments("dev")
    assert len(dev) == len(PARTS["dev"])
    assert dev.texts([2, 0, 2]) == [PARTS["dev"][row] for row in (2, 0, 2)]
    assert dev.column("target") == [target for _, target in PARTS["dev"]]
    assert prepared.languages == ("en", "de")


def test_rows_come_in_the_order_that_is_asked_for(prepared: TextData) -> None:
    train = prepared.segments("train")
    rows = [7, 7, 0, len(train) - 1, 3]
    assert train.draw(rows, None).pairs == [prepared.codec.encode_pair(*pair) for pair in train.texts(rows)]
    assert train.draw([], None).pairs == train.texts([]) == []


def test_data_in_a_model_s_tokens_is_encoded_anew(prepared: TextData) -> None:
    other = train_tokenizer(lambda: ["Hund Garten schön"] * 20, "characters", None, 400)
    foreign = prepared.with_codec(Tokenizers(other, other, ("en", "de")))
    pair = PARTS["dev"][1]
    assert foreign.segments("dev").draw([1], None).pairs == [foreign.codec.encode_pair(*pair)]
    assert foreign.segments("dev").draw([1], None).pairs != prepared.segments("dev").draw([1], None).pairs
    assert foreign.segments("dev").texts([1]) == [pair]


def test_data_in_its_own_tokens_is_left_alone(prepared: TextData) -> None:
    again = Tokenizers.load(prepared.path / "tokenizer")
    assert prepared.with_codec(again) is prepared


def test_a_config_for_other_sources_is_refused_before_training(
    prepared: TextData, prepare: Callable[..., TextData]
) -> None:
    frames = RunConfig.model_validate({**LIMIT, "model": {"frontend": {"kind": "pyramid"}, "tied_embeddings": "none"}})
    with pytest.raises(ConfigError, match=r'frontend.kind = "pyramid" cannot read text.* Set it to "embedding"'):
        prepared.check(frames)
    three_way = RunConfig.model_validate(LIMIT)
    prepared.check(three_way)
    with pytest.raises(ConfigError, match='"three-way" needs one joint vocabulary, but the data has two'):
        prepare(joint=False).check(three_way)


def test_a_folder_that_is_no_data_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(DataError, match=r"is not prepared data: manifest\.json is missing"):
            open_text(path)


def test_a_part_that_is_not_there_is_named(prepared: TextData) -> None:
    with pytest.raises(DataError, match="has no part test_2017; it has train, dev, test"):
        prepared.segments("test_2017")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "not of this version"),
        ('{"format": "s2s text data", "version": 2}', "not of this version"),
        ('{"format": "s2s text data", "version": 1, "parts": {}}', "lacks files or parts"),
    ],
)
def test_a_damaged_manifest_is_named(folder: Path, manifest: str, message: str) -> None:
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(DataError, match=rf"manifest\.json.*{message}"):
        open_text(folder)


def test_every_missing_or_damaged_file_is_named(folder: Path) -> None:
    def use() -> None:
        data = open_text(folder)
        for part in data.manifest["parts"]:
            data.segments(part)

    use()
    for name in json.loads((folder / "manifest.json").read_text())["files"]:
        path = folder / name
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        for damaged in (bytes(flipped), whole[:-1], b""):
            path.write_bytes(damaged)
            with pytest.raises(DataError, match=f"{name} is damaged"):
                use()
        path.unlink()
        with pytest.raises(DataError, match=f"{name} is missing"):
            use()
        path.write_bytes(whole)
    use()
