"""One vocabulary: SentencePiece units (unigram or BPE subwords, or characters), with bytes for unknown characters."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, Protocol

import sentencepiece

from s2s.errors import DataError, ModelError, UsageError
from s2s.text.learning import learn
from s2s.text.placeholders import SYMBOLS, Masks
from s2s.text.vocabulary import BOS, EOS, PAD, SPECIAL, UNK

Units = Literal["unigram", "bpe", "characters"]
_MODEL_TYPES = {"unigram": "unigram", "bpe": "bpe", "characters": "char"}
CHARACTER_COVERAGE = 0.9995
"""Share of the characters of a text that have entries of their own; the rest are spelt in bytes."""

MAX_SEGMENTS = 500_000
"""SentencePiece learns from at most so many."""

THREADS = 2  # a constant, since the result depends on it in the last digits


class Tokenizer(Protocol):
    """Text to ids and back; ids 0 to 3 are those of `s2s.text.vocabulary`."""

    size: int

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without BOS and EOS."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids."""

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The units of ids, as people read them."""


class SentencePieceTokenizer:
    """A SentencePiece model (Kudo & Richardson 2018, arXiv:1808.06226) that leaves the text as it is."""

    def __init__(self, model: bytes) -> None:
        self.model = model
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.size: int = self.processor.get_piece_size()

    @property
    def is_unigram(self) -> bool:
        """Whether it is a unigram model, whose segmentations have probabilities."""
        try:
            return bool(self.processor.nbest_encode("a", nbest_size=2))
        except RuntimeError:
            return False

    @classmethod
    def load(cls, path: Path) -> "SentencePieceTokenizer":
        """The tokenizer in a file; ModelError when it is none."""
        try:
            tokenizer = cls(path.read_bytes())
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
        except RuntimeError as error:
            raise ModelError(f"{path} is not a SentencePiece model.") from error
        processor = tokenizer.processor
        ids = (processor.pad_id(), processor.bos_id(), processor.eos_id(), processor.unk_id())
        if ids != (PAD, BOS, EOS, UNK):
            raise ModelError(f"{path} has the ids {ids} for padding, begin, end and unknown instead of (0, 1, 2, 3).")
        return tokenizer

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without BOS and EOS."""
        ids: list[int] = self.processor.encode(text)
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; bytes that do not form UTF-8 become U+FFFD."""
        text: str = self.processor.decode(list(ids))
        return text

    @property
    def has_masks(self) -> bool:
        """Whether placeholders have symbols; a vocabulary of speech has none."""
        return bool(self.processor.piece_to_id(SYMBOLS[0]) != UNK)

    def never(self, masks: Masks) -> list[int]:
        """The ids that a text with these placeholders must not have, such as masks that stand for nothing.

        For every text there are as many, of which some come twice.
        """
        given = len(masks.originals)
        beyond = [self.processor.piece_to_id(symbol) for symbol in SYMBOLS[given:]]
        return [PAD, BOS, UNK, *beyond, *[PAD] * given]

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The units of ids; a word begins with U+2581."""
        return [self.processor.id_to_piece(number) for number in ids]


def train_tokenizer(
    texts: Callable[[], Iterable[str]], units: Units, size: int | None, default_size: int, spoken: bool = False
) -> SentencePieceTokenizer:
    """A tokenizer learned from `texts()`, with `size` entries, or about `default_size` when it is None.

    The rarest characters, 0.05 % of the text, are spelt in bytes. Speech (`spoken`) has neither these nor masks: every
    character has an entry. UsageError: the corpus cannot give a vocabulary of exactly that size. DataError: there is
    no text.
    """
    wanted = default_size if size is None else size
    try:
        return _train(texts(), units, wanted, size is not None or units == "bpe", spoken)
    except RuntimeError as error:
        if re.search(r"sentences_\.empty|all_chars_count", str(error)):
            raise DataError("The training part holds no text: there is nothing to learn a vocabulary from.") from error
        if size is not None and "insert_id" in str(error):
            raise UsageError(f"A vocabulary of {size:,} has no room for special symbols: ask for hundreds.") from error
        bound = re.search(r"value <= (\d+)|smaller than required_chars\. \d+ vs (\d+)", str(error))
        if bound is None:
            raise DataError(f"SentencePiece cannot learn from this text: {error}.") from error
        most, least = bound.groups()
        if size is None:
            return _train(texts(), units, int(most) if most else int(least) + 64, False, spoken)
        limit = f"at most {int(most):,}" if most else f"more than {int(least):,}"
        raise UsageError(f"A vocabulary of {size:,} does not fit this corpus: it must have {limit} entries.") from error


def _train(texts: Iterable[str], units: Units, size: int, exact: bool, spoken: bool) -> SentencePieceTokenizer:
    options = {
        "model_type": _MODEL_TYPES[units],
        "vocab_size": size,
        "hard_vocab_limit": exact,
        "character_coverage": 1.0 if spoken else CHARACTER_COVERAGE,
        "byte_fallback": not spoken,
        "normalization_rule_name": "identity",
        "user_defined_symbols": [] if spoken else list(SYMBOLS),
        "pad_id": PAD,
        "bos_id": BOS,
        "eos_id": EOS,
        "unk_id": UNK,
        "pad_piece": SPECIAL[PAD],
        "bos_piece": SPECIAL[BOS],
        "eos_piece": SPECIAL[EOS],
        "unk_piece": SPECIAL[UNK],
        "input_sentence_size": MAX_SEGMENTS,  # of more it would draw others each time
        "shuffle_input_sentence": True,
        "max_sentence_length": 65536,
        "num_threads": THREADS,
        "minloglevel": 2,
    }
    return SentencePieceTokenizer(learn(texts, options))


def default_vocabulary_size(characters: int, alphabet: int) -> int:
    """A vocabulary size for a corpus of that many characters, of that many different ones.

    Twice the square root of the characters, which gives about 4,000 subwords for 4 million characters, and room for the
    alphabet, bytes and masks; at most 32,000 in all, to the next hundred.
    """
    size = 2 * math.sqrt(characters) + alphabet + 256 + len(SYMBOLS) + len(SPECIAL)
    return min(32_000, 100 * math.ceil(size / 100))
