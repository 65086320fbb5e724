"""Both tokenizers of a translator, with the masking of placeholders around them."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2s.errors import ModelError
from s2s.files import write_bytes, write_json
from s2s.text.placeholders import Masks, mask_source, mask_target, restore
from s2s.text.sampling import SubwordSampler
from s2s.text.tokenizer import SentencePieceTokenizer
from s2s.text.vocabulary import EOS

if TYPE_CHECKING:
    from torch import Tensor

RECORD = "tokenizer.json"
JOINT, SOURCE, TARGET = "joint.model", "source.model", "target.model"


@dataclass(frozen=True)
class Tokenizers:
    """From raw source to ids, and from ids to the target text; `source` and `target` are one object when joint."""

    source: SentencePieceTokenizer
    target: SentencePieceTokenizer
    languages: tuple[str, str]

    @property
    def joint(self) -> bool:
        """Whether source and target share one vocabulary."""
        return self.source is self.target

    @property
    def kind(self) -> Literal["text"]:
        """What sources are made of."""
        return "text"

    @property
    def source_size(self) -> int:
        """Entries of the source's vocabulary."""
        return self.source.size

    def longest_targets(self, source_lengths: "Tensor") -> "Tensor":
        """How many tokens hypotheses for sources of these lengths (B) may have: three times as many, and ten more."""
        return 3 * source_lengths + 10

    @property
    def files(self) -> frozenset[str]:
        """The names of the files that `save` writes and `load` reads."""
        return frozenset([RECORD, JOINT] if self.joint else [RECORD, SOURCE, TARGET])

    @property
    def identity(self) -> dict[str, object]:
        """What must be equal, by name, for two models to read the same sources and write the same tokens."""
        return {
            "languages": self.languages,
            "source vocabulary": self.source.model,
            "target vocabulary": self.target.model,
        }

    def encode_source(self, text: str) -> tuple[list[int], Masks]:
        """Ids that end with EOS, and the placeholders that were masked."""
        masked, masks = mask_source(text)
        return [*self.source.encode(masked), EOS], masks

    def encode_target(self, text: str, masks: Masks) -> list[int]:
        """Ids without BOS and EOS, with the masks of the source."""
        return self.target.encode(mask_target(text, masks))

    def encode_pair(self, source: str, target: str) -> tuple[list[int], list[int]]:
        """Source ids that end with EOS, and target ids without BOS and EOS, which share their masks."""
        source_ids, masks = self.encode_source(source)
        return source_ids, self.encode_target(target, masks)

    def decode_target(self, ids: Sequence[int], masks: Masks) -> str:
        """Text with the source's placeholders back in their places."""
        return restore(self.target.decode(ids), masks)

    def sampler(self, alpha: float) -> "PairSampler":
        """Encodes pairs into sampled subwords; ConfigError when the units are not unigram subwords."""
        source = SubwordSampler(self.source, alpha)
        return PairSampler(source, source if self.joint else SubwordSampler(self.target, alpha))

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` and one or two models into an existing folder."""
        models = {JOINT: self.source} if self.joint else {SOURCE: self.source, TARGET: self.target}
        for name, tokenizer in models.items():
            write_bytes(folder / name, tokenizer.model)
        write_json(folder / RECORD, {"languages": list(self.languages), "joint": self.joint})

    @classmethod
    def load(cls, folder: Path) -> "Tokenizers":
        """What `save` wrote; ModelError names the file that is missing or damaged."""
        path = folder / RECORD
        try:
            record = json.loads(path.read_bytes())
            source_language, target_language = record["languages"]
            joint = record["joint"]
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(f"{path} does not describe tokenizers.") from error
        source = SentencePieceTokenizer.load(folder / (JOINT if joint else SOURCE))
        target = source if joint else SentencePieceTokenizer.load(folder / TARGET)
        return cls(source, target, (str(source_language), str(target_language)))


@dataclass(frozen=True)
class PairSampler:
    """`encode_source` and `encode_target` in one, with other subwords at each call."""

    source: SubwordSampler
    target: SubwordSampler

    def __call__(self, source: str, target: str, draw: random.Random) -> tuple[list[int], list[int]]:
        """Source ids that end with EOS, and target ids without BOS and EOS."""
        masked, masks = mask_source(source)
        return [*self.source.sample(masked, draw), EOS], self.target.sample(mask_target(target, masks), draw)
