"""Text to ids and back: nothing is rewritten, nothing is unknown, masks are whole, and learning is repeatable."""

import subprocess
import sys
import unicodedata
from functools import partial
from pathlib import Path

import pytest

from s2s.errors import DataError, ModelError, UsageError
from s2s.text.placeholders import SYMBOLS
from s2s.text.tokenizer import (
    SentencePieceTokenizer,
    Units,
    default_vocabulary_size,
    train_tokenizer,
)
from s2s.text.vocabulary import BOS, EOS, PAD, UNK
from tests.unit.text.conftest import corpus, learned


def test_decoding_gives_the_text_back(tokenizer: SentencePieceTokenizer, lines: list[str]) -> None:
    for line in lines:
        ids = tokenizer.encode(line)
        assert tokenizer.decode(ids) == line
        assert not {PAD, BOS, EOS, UNK} & set(ids)
        assert max(ids) < tokenizer.size


@pytest.mark.parametrize("text", ["m² ½ ﬁ Å", unicodedata.normalize("NFD", "schön é"), "\u2026\u2019 \uff21\uff22"])
def test_no_character_is_replaced_by_another(tokenizer: SentencePieceTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_masks_are_units_of_their_own(tokenizer: SentencePieceTokenizer) -> None:
    for symbol in SYMBOLS:
        for text in (f"haus{symbol}garten", f"{symbol}{symbol}", f" {symbol} hund"):
            pieces = tokenizer.pieces(tokenizer.encode(text))
            assert pieces.count(symbol) == text.count(symbol)


def test_characters_are_single_and_subwords_are_not(tokenizer: SentencePieceTokenizer, lines: list[str]) -> None:
    longest = max(len(piece) for line in lines[:50] for piece in tokenizer.pieces(tokenizer.encode(line)))
    counts = len(tokenizer.encode("schönes wasser"))
    assert (longest == 1 and counts == 15) if tokenizer.size < 350 else (longest > 3 and counts < 8)


@pytest.mark.parametrize(("units", "expected"), [("unigram", True), ("bpe", False), ("characters", False)])
def test_only_unigram_models_say_that_they_are(units: Units, expected: bool) -> None:
    assert learned(units).is_unigram is expected


def test_learning_twice_gives_the_same_bytes_in_another_process(unigram: SentencePieceTokenizer) -> None:
    code = "import sys; from tests.unit.text.conftest import learned; sys.stdout.buffer.write(learned('unigram').model)"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=root)
    assert done.stdout == unigram.model


def test_a_size_that_is_given_is_exact() -> None:
    assert train_tokenizer(corpus, "unigram", 360, 0).size == 360
    for units in ("unigram", "bpe"):
        with pytest.raises(
            UsageError, match=r"A vocabulary of 5,000 does not fit this corpus: it must have at most \d+"
        ):
            train_tokenizer(corpus, units, 5000, 0)
        with pytest.raises(
            UsageError, match=r"A vocabulary of 280 does not fit this corpus: it must have more than \d+"
        ):
            train_tokenizer(corpus, units, 280, 0)


@pytest.mark.parametrize("units", ["unigram", "bpe", "characters"])
@pytest.mark.parametrize("default", [280, 5000])
def test_a_default_size_bends_to_the_corpus(units: Units, default: int) -> None:
    assert 270 < train_tokenizer(corpus, units, None, default).size < 2000


def test_without_text_nothing_is_learned() -> None:
    for lines in ([], ["", " "]):
        with pytest.raises(DataError, match=r"The training part holds no text: there is nothing to learn"):
            train_tokenizer(partial(list, lines), "unigram", None, 400)


def test_a_vocabulary_without_room_is_refused() -> None:
    with pytest.raises(UsageError, match="A vocabulary of 3 has no room for special symbols"):
        train_tokenizer(corpus, "unigram", 3, 0)


def test_default_sizes_suit_corpora_of_all_sizes() -> None:
    assert default_vocabulary_size(characters=3_900_000, alphabet=60) == 4300  # 2 * 1975 + 60 + 256 + 16 + 4 = 4286
    assert default_vocabulary_size(characters=1_600_000, alphabet=1500) == 4400  # 2530 + 1500 + 276 = 4306
    assert default_vocabulary_size(characters=10**10, alphabet=60) == 32_000


def test_files_that_are_no_tokenizers_are_refused(tmp_path: Path, unigram: SentencePieceTokenizer) -> None:
    path = tmp_path / "some.model"
    with pytest.raises(ModelError, match=r"some\.model cannot be read"):
        SentencePieceTokenizer.load(path)
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"some\.model is not a SentencePiece model"):
        SentencePieceTokenizer.load(path)
    path.write_bytes(unigram.model)
    assert SentencePieceTokenizer.load(path).encode("hunden") == unigram.encode("hunden")


def test_a_model_with_other_special_ids_is_refused(tmp_path: Path) -> None:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()), model_prefix=str(tmp_path / "other"), vocab_size=60, minloglevel=2
    )
    with pytest.raises(ModelError, match=r"has the ids \(-1, 1, 2, 0\)"):
        SentencePieceTokenizer.load(tmp_path / "other.model")
