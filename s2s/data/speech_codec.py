"""What a model of speech needs beside its weights: from samples to features, and from ids to text."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from torch import Tensor

from s2s.audio.augmentation import warp_bands
from s2s.audio.features import FeatureSettings, FilterBank, Statistics, normalise
from s2s.errors import ModelError
from s2s.files import write_bytes, write_json
from s2s.text.tokenizer import SentencePieceTokenizer

RECORD, TARGET = "speech.json", "target.model"

TOKENS_PER_SECOND = 30
"""More tokens than anybody speaks: fast speech has some 25 characters a second."""

MIN_LONGEST, MAX_LONGEST = 0.01, 3600.0


@dataclass(frozen=True)
class SpeechCodec:
    """From samples to features, and from ids to text; `longest` is the longest segment of training, in seconds.

    Features are normalised by `statistics` of the training part; where there are none, by those of the speaker if
    `by_speaker` says so and they are known, else by those of the utterance.
    """

    settings: FeatureSettings
    target: SentencePieceTokenizer
    language: str
    longest: float
    statistics: Statistics | None = None
    by_speaker: bool = False

    @property
    def kind(self) -> Literal["audio"]:
        """See `Codec`."""
        return "audio"

    @property
    def languages(self) -> tuple[str]:
        """See `Codec`."""
        return (self.language,)

    @property
    def source_size(self) -> int:
        """See `Codec`."""
        return self.settings.bands

    @property
    def files(self) -> frozenset[str]:
        """See `Codec`."""
        return frozenset([RECORD, TARGET])

    @property
    def identity(self) -> dict[str, object]:
        """See `Codec`; `longest` is only a default of the search."""
        statistics = None if self.statistics is None else self.statistics.to_document()
        return {
            "language": self.language,
            "features": self.settings,
            "normalisation": (self.by_speaker, statistics),
            "vocabulary": self.target.model,
        }

    @cached_property
    def filter_bank(self) -> FilterBank:
        """The filter bank of the settings."""
        return FilterBank(self.settings)

    def features(self, samples: Tensor, warp: float = 1.0, speaker: Statistics | None = None) -> Tensor:
        """Samples (N) of the settings' rate to normalised features (S, F), of a voice `warp` times as high.

        Statistics of the speaker are those of the voice as it was.
        """
        features = self.filter_bank(samples)
        if speaker is not None:
            features = normalise(features, speaker)
        if warp != 1:
            features = warp_bands(features, self.filter_bank.places(warp))
        return normalise(features, self.statistics) if speaker is None else features

    def longest_targets(self, source_lengths: Tensor) -> Tensor:
        """See `Codec`."""
        return (source_lengths * self.settings.shift * TOKENS_PER_SECOND).long() + 10

    def decode(self, ids: Sequence[int]) -> str:
        """The text of target ids."""
        return self.target.decode(ids)

    def save(self, folder: Path) -> None:
        """See `Codec`."""
        statistics = None if self.statistics is None else self.statistics.to_document()
        write_bytes(folder / TARGET, self.target.model)
        document = {
            "language": self.language,
            "longest": self.longest,
            "features": self.settings.to_document(),
            "statistics": statistics,
            "by_speaker": self.by_speaker,
        }
        write_json(folder / RECORD, document)

    @classmethod
    def load(cls, folder: Path) -> "SpeechCodec":
        """What `save` wrote; ModelError names the file that is missing or damaged."""
        path = folder / RECORD
        try:
            record = json.loads(path.read_bytes())
            language, features, statistics = (record[key] for key in ("language", "features", "statistics"))
            longest, by_speaker = float(record["longest"]), record.get("by_speaker", False) is True
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelError(f"{path} does not describe features of speech.") from error
        if not MIN_LONGEST <= longest <= MAX_LONGEST:
            raise ModelError(f"{path} speaks of segments of {longest:g} seconds, which cannot be.")
        settings = FeatureSettings.from_document(features)
        return cls(
            settings,
            SentencePieceTokenizer.load(folder / TARGET),
            str(language),
            longest,
            None if statistics is None else Statistics.from_document(statistics, settings.bands),
            by_speaker,
        )
