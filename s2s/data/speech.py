"""Prepared audio: recordings that stay where they are, read and turned into features when they are needed."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from s2s.audio.augmentation import change_speed, change_volume, mask, samples_after_speed
from s2s.audio.features import Statistics
from s2s.audio.reading import read_at
from s2s.config import AugmentationConfig, BaseRunConfig, RunConfig
from s2s.data.arrow import BLOCK_ROWS
from s2s.data.codec import Codec
from s2s.data.prepared import PreparedData, open_data
from s2s.data.speech_codec import SpeechCodec
from s2s.errors import ConfigError, DataError, ModelError
from s2s.log import warn
from s2s.rng import python_random
from s2s.text.vocabulary import UNK

SPEAKERS = "speakers.json"
"""In the folder of a part: the statistics of each speaker, where features are normalised by them."""

FRAMES_MULTIPLE = 16
"""Padded lengths in frames are multiples of it, so that a frontend that leaves a quarter leaves multiples of 4."""


@dataclass(frozen=True)
class SpeechData(PreparedData):
    """Prepared audio."""

    codec: SpeechCodec

    @classmethod
    def open(cls, path: Path, manifest: dict[str, Any]) -> "SpeechData":
        """The audio in a folder whose manifest was read."""
        return cls(path, manifest, SpeechCodec.load(path / "tokenizer"))

    def segments(self, name: str, config: BaseRunConfig | None = None) -> "SpeechSegments":
        """See `PreparedData`; with a config, its augmentation."""
        augmentation, seed = (config.augmentation, config.seed) if isinstance(config, RunConfig) else (None, 0)
        speakers = self._speakers(name) if self.codec.by_speaker else {}
        return SpeechSegments(self.table(name), self.path, self.codec, self.foreign, speakers, augmentation, seed)

    def _speakers(self, name: str) -> dict[str, Statistics]:
        """The statistics of the speakers of a part.

        ConfigError: the data was prepared without, for another model. DataError: they are damaged.
        """
        path = self.path / name / SPEAKERS
        try:
            document = json.loads(path.read_bytes())
            return {
                speaker: Statistics.from_document(one, self.codec.settings.bands) for speaker, one in document.items()
            }
        except FileNotFoundError as error:
            raise ConfigError(
                f"The model knows its speakers, but {self.path} has no {name}/{SPEAKERS}. Prepare the data with "
                "--normalisation speaker."
            ) from error
        except (OSError, ValueError, AttributeError, ModelError, RecursionError) as error:
            raise DataError(f"{path} is damaged: prepare the data again.") from error

    def check(self, config: BaseRunConfig) -> None:
        """See `PreparedData`; warnings where CTC is off, and of characters that a model to start from cannot write."""
        if not isinstance(config, RunConfig):
            raise ConfigError(
                f"{self.path} holds audio, and the config is of a language model. Remove model.kind, or prepare "
                "text of one language with `s2s prepare monolingual`."
            )
        if not config.model.frontend.reads_frames:
            raise ConfigError(
                f'model.frontend.kind = "{config.model.frontend.kind}" cannot read audio, which {self.path} holds. '
                'Set it to "convolution" or "pyramid".'
            )
        by_utterance = self.codec.statistics is None and not self.codec.by_speaker
        if config.augmentation is not None and config.augmentation.volume and by_utterance:
            raise ConfigError(
                f"augmentation.volume has no effect on features that are normalised per utterance, as in {self.path}. "
                "Set it to 0, or prepare the data with --normalisation speaker or global."
            )
        if not config.model.ctc:
            warn("model.ctc is off: attention alone learns to listen slowly, if at all. Set model.ctc = true.")
        if self.foreign:
            self._warn_of_unknown_characters()

    def _warn_of_unknown_characters(self) -> None:
        """Units of speech have no bytes to spell such characters in."""
        texts = self.segments("train").references()
        counts = Counter(character for text in texts for character in set(text))
        unknown = [
            (character, n) for character, n in counts.most_common() if UNK in self.codec.target.encode(character)
        ]
        if unknown:
            shown = ", ".join(f"{character!r} (in {n:,})" for character, n in unknown[:10])
            more = f" and {len(unknown) - 10:,} others" if len(unknown) > 10 else ""
            warn(
                f"the model has no units for some characters in the transcripts of {self.path} and learns to write ⁇ "
                f"for them: {shown}{more}. To have them learned, train anew, without --from."
            )

    def with_codec(self, codec: Codec) -> "SpeechData":
        """See `PreparedData`; the text is encoded anew where the tokenizer is not the data's own.

        ConfigError: the codec hears other features than the data was prepared for.
        """
        assert isinstance(codec, SpeechCodec)
        if codec.settings != self.codec.settings:
            raise ConfigError(
                f"The model hears {_heard(codec)}, but {self.path} is prepared for {_heard(self.codec)}. "
                f"Prepare the data with --rate {codec.settings.rate} --bands {codec.settings.bands}."
            )
        foreign = codec.target.model != self.codec.target.model
        return replace(self, codec=codec, foreign=foreign or self.foreign)


def _heard(codec: SpeechCodec) -> str:
    settings = codec.settings
    return f"{settings.bands} bands of {settings.rate:,} Hz in steps of {settings.shift * 1000:g} ms"


def open_speech(path: Path) -> SpeechData:
    """The prepared audio in a folder; DataError when it holds none, or something else."""
    data = open_data(path)
    if not isinstance(data, SpeechData):
        raise DataError(f"{path} holds {data.codec.kind} and no audio.")
    return data


@dataclass(frozen=True)
class SpeechSegments:
    """One part: where each recording lies, and its transcript."""

    table: Any
    folder: Path
    codec: SpeechCodec
    foreign: bool = False
    speakers: Mapping[str, Statistics] = field(default_factory=dict)
    augmentation: AugmentationConfig | None = None
    seed: int = 0
    multiple: int = FRAMES_MULTIPLE
    budget: str = "batch_frames"

    def __len__(self) -> int:
        return len(self.table)

    def column(self, name: str) -> list[Any]:
        """A whole column: id, audio, offset, duration, speaker, target, seconds."""
        values: list[Any] = self.table.data.column(name).to_pylist()
        return values

    def name(self, row: int) -> str:
        """See `Segments`."""
        return str(self.table[row]["id"])

    def references(self) -> list[str]:
        """See `Segments`."""
        return self.column("target")

    def text(self, row: int, tokens: Sequence[int]) -> str:
        """See `Segments`."""
        return self.codec.decode(tokens)

    @cached_property
    def by_speaker(self) -> dict[str | None, list[int]]:
        """The rows of each speaker."""
        rows: dict[str | None, list[int]] = {}
        for row, speaker in enumerate(self.column("speaker")):
            rows.setdefault(speaker, []).append(row)
        return rows

    def draw(self, rows: Sequence[int], epoch: int | None) -> "DrawnSpeech":
        """See `Segments`."""
        takes = [self._take(row, epoch) for row in rows]
        needed = sorted({row for take in takes for row in take.rows})
        found = self.table.with_format("arrow")[needed].to_pylist()
        return DrawnSpeech(self, takes, dict(zip(needed, found, strict=True)), epoch)

    def _take(self, row: int, epoch: int | None) -> "Take":
        """How a row comes in an epoch."""
        augmentation = self.augmentation
        if augmentation is None or epoch is None:
            return Take((row,))
        draw = python_random(self.seed, "augmentation", epoch, row)
        rows = [row]
        if augmentation.joined > 1:
            others = self.by_speaker[self.table.data.column("speaker")[row].as_py()]
            rows += [draw.choice(others) for _ in range(draw.randrange(augmentation.joined))]
        speed = draw.choice(augmentation.speeds)
        volume = draw.uniform(-augmentation.volume, augmentation.volume)
        warp = 1 + draw.uniform(-augmentation.warp, augmentation.warp)
        return Take(tuple(rows), speed, volume, warp, alone=draw.random() < augmentation.unknown_speaker)

    def records(self) -> Iterator[dict[str, Any]]:
        """All rows, one after the other."""
        for block in self.table.with_format("arrow").iter(BLOCK_ROWS):
            yield from block.to_pylist()

    def speaker(self, record: dict[str, Any]) -> Statistics | None:
        """The statistics of a row's speaker, if they are known and features are normalised by them."""
        return self.speakers.get(record["speaker"])

    def samples(self, record: dict[str, Any]) -> Tensor:
        """The samples (N) of a row at the codec's rate; DataError: the recording is not as long as it was."""
        path = self.folder / record["audio"]
        samples = read_at(path, self.codec.settings.rate, record["offset"], record["duration"])
        if len(samples) != record["samples"]:
            raise DataError(
                f"{path} has changed since it was prepared: {record['id']} had {record['samples']:,} samples, and has "
                f"{len(samples):,} now. Prepare the data again."
            )
        return samples


@dataclass(frozen=True)
class Take:
    """The rows joined into one segment, its speed, its change of volume in decibels, the factor of its frequencies.

    One that is `alone` is normalised as if its speaker were not known.
    """

    rows: tuple[int, ...]
    speed: float = 1.0
    volume: float = 0.0
    warp: float = 1.0
    alone: bool = False


@dataclass(frozen=True)
class DrawnSpeech:
    """Takes of recordings that are read when a batch wants them."""

    segments: SpeechSegments
    takes: list[Take]
    records: dict[int, dict[str, Any]]
    epoch: int | None

    @cached_property
    def lengths(self) -> list[tuple[int, int]]:
        """See `Drawn`."""
        return [self._length(take) for take in self.takes]

    def _length(self, take: Take) -> tuple[int, int]:
        records = [self.records[row] for row in take.rows]
        rate, bank = self.segments.codec.settings.rate, self.segments.codec.filter_bank
        samples = samples_after_speed(sum(int(record["samples"]) for record in records), rate, take.speed)
        return bank.frames(samples), len(self._target(take))

    def _target(self, take: Take) -> list[int]:
        codec, records = self.segments.codec, [self.records[row] for row in take.rows]
        if self.segments.foreign:
            return codec.target.encode(" ".join(record["target"] for record in records))
        return [token for record in records for token in record["target_ids"]]

    def target(self, position: int) -> list[int]:
        """See `Drawn`."""
        return self._target(self.takes[position])

    def pair(self, position: int) -> tuple[Tensor, list[int]]:
        """See `Drawn`."""
        take, segments = self.takes[position], self.segments
        samples = torch.cat([segments.samples(self.records[row]) for row in take.rows])
        if take.speed != 1:
            samples = change_speed(samples, segments.codec.settings.rate, take.speed)
        if take.volume:
            samples = change_volume(samples, take.volume)
        speaker = None if take.alone else segments.speaker(self.records[take.rows[0]])
        features = segments.codec.features(samples, take.warp, speaker)
        augmentation = segments.augmentation
        if augmentation is not None and self.epoch is not None and self.epoch >= augmentation.masks_from_epoch:
            draw = python_random(segments.seed, "masks", self.epoch, take.rows[0])
            features = mask(features, draw, augmentation)
        return features, self._target(take)
