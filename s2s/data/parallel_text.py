"""Prepared text: pairs of source and target, as raw text and as ids of subwords."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from s2s.config import BaseRunConfig, RunConfig
from s2s.data.codec import Codec
from s2s.data.prepared import PreparedData, open_data
from s2s.data.segments import MULTIPLE
from s2s.errors import ConfigError, DataError
from s2s.rng import python_random
from s2s.text.placeholders import mask_source
from s2s.text.tokenizers import PairSampler, Tokenizers

Ids = tuple[list[int], list[int]]


@dataclass(frozen=True)
class TextData(PreparedData):
    """Prepared text."""

    codec: Tokenizers

    @classmethod
    def open(cls, path: Path, manifest: dict[str, Any]) -> "TextData":
        """The text in a folder whose manifest was read."""
        return cls(path, manifest, Tokenizers.load(path / "tokenizer"))

    def segments(self, name: str, config: BaseRunConfig | None = None) -> "TextSegments":
        """See `PreparedData`; with a config, its subword sampling."""
        alpha = config.regularisation.subword_sampling if config else 0
        sampler = self.codec.sampler(alpha) if alpha else None
        return TextSegments(self.table(name), self.codec, self.foreign, sampler, config.seed if config else 0)

    def check(self, config: BaseRunConfig) -> None:
        """See `PreparedData`."""
        if not isinstance(config, RunConfig):
            raise ConfigError(
                f"{self.path} holds parallel text, and the config is of a language model. Remove model.kind, or "
                "prepare text of one language with `s2s prepare monolingual`."
            )
        if config.model.frontend.reads_frames:
            raise ConfigError(
                f'model.frontend.kind = "{config.model.frontend.kind}" cannot read text, which {self.path} holds. '
                'Set it to "embedding".'
            )
        if config.model.tied_embeddings == "three-way" and not self.codec.joint:
            raise ConfigError(
                'model.tied_embeddings = "three-way" needs one joint vocabulary, but the data has two. '
                'Set it to "output", or prepare the data with a joint one.'
            )

    def with_codec(self, codec: Codec) -> "TextData":
        """See `PreparedData`; the text is encoded anew where the tokenizers are not the data's own."""
        assert isinstance(codec, Tokenizers)
        models = [(pair.source.model, pair.target.model) for pair in (codec, self.codec)]
        return self if models[0] == models[1] else replace(self, codec=codec, foreign=True)


@dataclass(frozen=True)
class DrawnText:
    """Pairs of ids."""

    pairs: list[Ids]

    @cached_property
    def lengths(self) -> list[tuple[int, int]]:
        """See `Drawn`."""
        return [(len(source), len(target)) for source, target in self.pairs]

    def target(self, position: int) -> list[int]:
        """See `Drawn`."""
        return self.pairs[position][1]

    def pair(self, position: int) -> Ids:
        """See `Drawn`."""
        return self.pairs[position]


@dataclass(frozen=True)
class TextSegments:
    """One part. With a sampler, subwords are drawn anew in every epoch."""

    table: Any
    codec: Tokenizers
    foreign: bool = False
    sampler: PairSampler | None = None
    seed: int = 0
    multiple: int = MULTIPLE
    budget: str = "batch_tokens"

    def __len__(self) -> int:
        return len(self.table)

    def column(self, name: Literal["id", "source", "target"]) -> list[str]:
        """A whole column of text; for dev and test parts, since it is held in memory."""
        values: list[str] = self.table.data.column(name).to_pylist()
        return values

    def texts(self, rows: Sequence[int]) -> list[tuple[str, str]]:
        """Raw source and target of the given rows."""
        found = self.table.with_format("arrow")[list(rows)]
        return list(zip(found.column("source").to_pylist(), found.column("target").to_pylist(), strict=True))

    def draw(self, rows: Sequence[int], epoch: int | None) -> DrawnText:
        """See `Segments`."""
        if self.sampler is not None and epoch is not None:
            texts = zip(rows, self.texts(rows), strict=True)
            draws = ((pair, python_random(self.seed, "subwords", epoch, row)) for row, pair in texts)
            return DrawnText([self.sampler(*pair, draw) for pair, draw in draws])
        if self.foreign:
            return DrawnText([self.codec.encode_pair(source, target) for source, target in self.texts(rows)])
        found = self.table.with_format("arrow")[list(rows)]
        columns = (found.column(name).to_pylist() for name in ("source_ids", "target_ids"))
        return DrawnText(list(zip(*columns, strict=True)))

    def name(self, row: int) -> str:
        """See `Segments`."""
        return str(self.table[row]["id"])

    def references(self) -> list[str]:
        """See `Segments`."""
        return self.column("target")

    def text(self, row: int, tokens: Sequence[int]) -> str:
        """See `Segments`: the placeholders are those of the row's source."""
        source, _ = self.texts([row])[0]
        return self.codec.decode_target(tokens, mask_source(source)[1])


def open_text(path: Path) -> TextData:
    """The prepared text in a folder; DataError when it holds none, or something else."""
    data = open_data(path)
    if not isinstance(data, TextData):
        raise DataError(f"{path} holds {data.codec.kind} and no parallel text.")
    return data
