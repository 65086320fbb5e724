"""What a language model needs beside its weights: from lines of one language to ids, and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from s2s.errors import ModelError
from s2s.files import write_bytes, write_json
from s2s.text.lines import clean
from s2s.text.placeholders import Masks, mask_source, restore
from s2s.text.tokenizer import SentencePieceTokenizer

RECORD, TARGET = "language.json", "target.model"


@dataclass(frozen=True)
class MonolingualCodec:
    """One vocabulary; it may be that of the targets of a translator or a transcriber, byte for byte."""

    target: SentencePieceTokenizer
    language: str

    @property
    def kind(self) -> Literal["monolingual"]:
        """See `Codec`."""
        return "monolingual"

    @property
    def languages(self) -> tuple[str]:
        """See `Codec`."""
        return (self.language,)

    @property
    def source_size(self) -> int:
        """See `Codec`: what is read is what was written before."""
        return self.target.size

    @property
    def files(self) -> frozenset[str]:
        """See `Codec`."""
        return frozenset([RECORD, TARGET])

    def encode(self, text: str) -> list[int]:
        """The ids of a line, without BOS and EOS."""
        return self.encode_masked(text)[0]

    def encode_masked(self, text: str) -> tuple[list[int], Masks]:
        """The same, and the placeholders that were masked: none where the vocabulary, one of speech, has no masks."""
        masked, masks = self.masked(text)
        return self.target.encode(masked), masks

    def masked(self, text: str) -> tuple[str, Masks]:
        """The cleaned text with a symbol for each placeholder, and what the symbols stand for."""
        text = clean(text)
        return mask_source(text) if self.target.has_masks else (text, Masks())

    def decode(self, ids: Sequence[int], masks: Masks) -> str:
        """The text of ids with placeholders back in their places."""
        return restore(self.target.decode(ids), masks)

    def save(self, folder: Path) -> None:
        """See `Codec`."""
        write_bytes(folder / TARGET, self.target.model)
        write_json(folder / RECORD, {"language": self.language})

    @classmethod
    def load(cls, folder: Path) -> "MonolingualCodec":
        """What `save` wrote; ModelError names the file that is missing or damaged."""
        path = folder / RECORD
        try:
            language = json.loads(path.read_bytes())["language"]
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(f"{path} does not name a language.") from error
        return cls(SentencePieceTokenizer.load(folder / TARGET), str(language))
