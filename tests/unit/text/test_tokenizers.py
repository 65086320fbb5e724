"""Both tokenizers of a translator with their masks: from raw source to ids, and from ids to raw target."""

import json
import random
from pathlib import Path

import pytest

from s2s.errors import ModelError
from s2s.text.placeholders import SYMBOLS
from s2s.text.tokenizer import train_tokenizer
from s2s.text.tokenizers import Tokenizers
from s2s.text.vocabulary import EOS
from tests.unit.text.conftest import learned


@pytest.fixture
def joint() -> Tokenizers:
    return Tokenizers(learned("unigram"), learned("unigram"), ("en", "de"))


@pytest.fixture
def separate() -> Tokenizers:
    return Tokenizers(learned("bpe"), learned("unigram"), ("en", "zh-Hans"))


def test_a_source_ends_with_eos_and_a_target_is_bare(separate: Tokenizers) -> None:
    ids, masks = separate.encode_source("hund {name}")
    assert ids == [*separate.source.encode(f"hund {SYMBOLS[0]}"), EOS]
    assert separate.encode_target("{name} hund", masks) == separate.target.encode(f"{SYMBOLS[0]} hund")
    assert separate.encode_source("") == ([EOS], type(masks)())


@pytest.mark.parametrize(
    "target", ["{name}: <b>hund</b>", f"literal {SYMBOLS[2]}{SYMBOLS[0]}", "\u2581 %s 日本 \U0001f642", ""]
)
def test_a_target_of_the_source_s_placeholders_comes_back(joint: Tokenizers, target: str) -> None:
    _, masks = joint.encode_source(target + " and more")
    assert joint.decode_target(joint.encode_target(target, masks), masks) == target


def test_saved_tokenizers_are_the_same(tmp_path: Path, joint: Tokenizers, separate: Tokenizers) -> None:
    for name, before in (("joint", joint), ("separate", separate)):
        folder = tmp_path / name
        folder.mkdir()
        before.save(folder)
        after = Tokenizers.load(folder)
        assert (after.languages, after.joint) == (before.languages, before.joint)
        assert (after.source.model, after.target.model) == (before.source.model, before.target.model)
    assert {path.name for path in (tmp_path / "joint").iterdir()} == {"tokenizer.json", "joint.model"}
    assert {path.name for path in (tmp_path / "separate").iterdir()} == {
        "tokenizer.json",
        "source.model",
        "target.model",
    }


@pytest.mark.parametrize("record", ["", "[]", '{"joint": true}', '{"languages": ["en"], "joint": true}', "[" * 100_000])
def test_a_damaged_record_is_named(tmp_path: Path, joint: Tokenizers, record: str) -> None:
    joint.save(tmp_path)
    (tmp_path / "tokenizer.json").write_text(record)
    with pytest.raises(ModelError, match=r"tokenizer\.json does not describe tokenizers"):
        Tokenizers.load(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "source.model", "target.model"])
def test_a_missing_file_is_named(tmp_path: Path, separate: Tokenizers, name: str) -> None:
    separate.save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=f"{name} cannot be read"):
        Tokenizers.load(tmp_path)


def test_sampled_pairs_are_the_same_text_with_the_same_masks(joint: Tokenizers) -> None:
    draw = random.Random(1)
    source, target = "hundschön {name} wasserlichfeuer", "{name} feuerlicher"
    plain, masks = joint.encode_source(source)
    drawn = [joint.sampler(0.2)(source, target, draw) for _ in range(20)]
    assert {ids[-1] for ids, _ in drawn} == {EOS}
    assert {joint.decode_target(ids[:-1], masks) for ids, _ in drawn} == {source}
    assert {joint.decode_target(ids, masks) for _, ids in drawn} == {target}
    assert len({tuple(ids) for ids, _ in drawn}) > 3
    assert joint.sampler(1000.0)(source, target, draw)[0] == plain


def test_each_side_is_sampled_from_its_own_tokenizer() -> None:
    other = learned("unigram")
    pair = Tokenizers(other, other, ("en", "de")).sampler(0.2)
    assert pair.source is pair.target
    alien = train_tokenizer(lambda: ["qx xq qqx xxq qxq"] * 50, "unigram", None, 320)
    source, target = Tokenizers(other, alien, ("en", "de")).sampler(1000.0)("qxq", "qxq", random.Random(1))
    assert (source[:-1], target) == (other.encode("qxq"), alien.encode("qxq"))


def test_the_record_is_plain_json(tmp_path: Path, separate: Tokenizers) -> None:
    separate.save(tmp_path)
    assert json.loads((tmp_path / "tokenizer.json").read_text()) == {"languages": ["en", "zh-Hans"], "joint": False}
