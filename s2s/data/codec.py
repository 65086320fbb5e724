"""What stands between the files of a person and the numbers of a model, and travels with the model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor

from s2s.text.monolingual import MonolingualCodec
from s2s.text.tokenizers import Tokenizers

Kind = Literal["text", "audio", "monolingual"]
"""What sources are made of; a language model, whose text is monolingual, has none."""


class Target(Protocol):
    """The vocabulary of the target."""

    @property
    def size(self) -> int:
        """How many entries it has."""

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The units of ids, as people read them."""


class Codec(Protocol):
    """From sources to what a model reads, and from target ids to text."""

    @property
    def kind(self) -> Kind:
        """What sources are made of."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Source and target language, or the one that is spoken."""

    @property
    def source_size(self) -> int:
        """Entries of the source's vocabulary, or features of a frame."""

    @property
    def target(self) -> Target:
        """The vocabulary of the target."""

    @property
    def files(self) -> frozenset[str]:
        """The names of the files that `save` writes."""

    def save(self, folder: Path) -> None:
        """Write those files into an existing folder."""


@runtime_checkable
class PairCodec(Codec, Protocol):
    """A codec of sources and their targets."""

    @property
    def identity(self) -> Mapping[str, object]:
        """What must be equal, by name, for two models to read the same sources and write the same tokens."""

    def longest_targets(self, source_lengths: Tensor) -> Tensor:
        """How many tokens hypotheses for sources of these lengths (B) may have."""


def load_codec(folder: Path, kind: Kind) -> Codec:
    """What `save` wrote; ModelError names a file that is missing or damaged."""
    if kind == "text":
        return Tokenizers.load(folder)
    if kind == "monolingual":
        return MonolingualCodec.load(folder)
    from s2s.data.speech_codec import SpeechCodec

    return SpeechCodec.load(folder)
