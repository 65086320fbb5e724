"""The whole run: a model, how it is kept from learning by heart, how it is trained and how it is searched."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from s2s.config.model import ModelConfig
from s2s.config.section import Count, Fraction, Natural, NonNegative, Positive, Section

BATCH_TOKENS, BATCH_FRAMES = 1536, 8000
LONGEST_TRANSCRIPT = 4096
"""Tokens; what is heard is bounded by its seconds, so that this only ends what has gone wrong."""

CTC_WEIGHT = 0.5
"""With it a beam of 5 gets fewer words wrong than with 0.3 or 0.7 after little speech: see recipes/transcription."""

IDLE_WEIGHT_DROPOUT = (
    "regularisation.weight_dropout has no effect on min-gru, which has no recurrent matrix: set it to 0"
)


class RegularisationConfig(Section):
    """What keeps a model from learning its training data by heart; nothing here acts in inference."""

    embedding_dropout: Fraction = 0.1
    layer_dropout: Fraction = 0.2
    output_dropout: Fraction = 0.2
    weight_dropout: Fraction = 0.0
    source_word_dropout: Fraction = 0.0
    target_word_dropout: Fraction = 0.0
    subword_sampling: NonNegative = 0.0
    label_smoothing: Fraction = 0.1


class AugmentationConfig(Section):
    """What is done to recordings, anew in every epoch; drawn from (seed, epoch, segment).

    Up to `joined` recordings of one speaker become one segment. `speeds` are factors of which each segment gets one;
    `volume` is the largest change in decibels, `warp` that of frequencies (0.1: from 0.9 to 1.1 times as high), as if
    another person spoke. SpecAugment's masks cover `time_mask` of a segment's length and
    `frequency_mask` of the bands at most, each, from epoch `masks_from_epoch` on (counted from 0).

    Where features are normalised by speaker, the share `unknown_speaker` of segments is normalised by itself, so that a
    lone recording is understood, too.
    """

    joined: Count = 1
    speeds: tuple[Annotated[float, Field(ge=0.5, le=2, strict=True)], ...] = (0.9, 1.0, 1.1)
    volume: Annotated[float, Field(ge=0, le=40, strict=True)] = 0.0
    warp: Annotated[float, Field(ge=0, le=0.5, strict=True)] = 0.0
    time_masks: Natural = 2
    time_mask: Fraction = 0.05
    frequency_masks: Natural = 2
    frequency_mask: Fraction = 0.15
    masks_from_epoch: Natural = 5
    unknown_speaker: Fraction = 0.3

    @model_validator(mode="after")
    def _no_idle_options(self) -> "AugmentationConfig":
        if not self.speeds:
            raise ValueError("speeds is empty: leave it out, or write [1.0]")
        if self.masks_from_epoch and not self.time_masks and not self.frequency_masks:
            raise ValueError("masks_from_epoch has no effect without masks: set it to 0")
        return self


class CtcConfig(Section):
    """The share of CTC in the loss: all of it for the fraction `alone` of the run, then falling to `weight`.

    It falls linearly over the fraction `annealing` of the run; the rest of the loss is that of attention.
    """

    weight: Fraction = 0.3
    alone: Fraction = 0.1
    annealing: Fraction = 0.1


class TrainingConfig(Section):
    """The loop. At least one of the three limits must be given; the schedule runs to the first of them.

    `batch_tokens` is the budget of a batch of text, `batch_frames` that of a batch of audio, padding included.
    Through running text, errors go back `truncation` steps (truncated back-propagation through time, Williams & Peng
    1990), while states go on; a batch has room for so many at least.
    """

    max_updates: Count | None = None
    max_epochs: Count | None = None
    max_minutes: Positive | None = None
    batch_tokens: Count | None = None
    batch_frames: Count | None = None
    truncation: Count | None = None
    shortest_first: bool = False
    accumulation: Count = 1
    learning_rate: Positive = 2e-3
    schedule: Literal["linear", "inverse-sqrt"] = "linear"
    warmup_updates: Natural = 300
    weight_decay: NonNegative = 0.01
    clip_norm: Positive = 1.0
    ctc: CtcConfig | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    averaging: Literal["none", "ema", "best"] = "ema"
    ema_decay: Fraction | None = None
    keep_best: Count = 3
    validation_interval: Count = 500
    validation_metric: Literal["bleu", "loss", "wer", "cer"] | None = None
    patience: Count | None = None

    @model_validator(mode="after")
    def _limits_and_idle_options(self) -> "TrainingConfig":
        if self.max_updates is None and self.max_epochs is None and self.max_minutes is None:
            raise ValueError("give a limit: max_updates, max_epochs or max_minutes")
        if self.averaging != "ema" and self.ema_decay is not None:
            raise ValueError(f'ema_decay has no effect with averaging = "{self.averaging}": remove it')
        return self

    @property
    def budget(self) -> int:
        """What a batch may cost, in tokens or frames."""
        budget = self.batch_tokens or self.batch_frames
        assert budget is not None, "a run's config has one of them"
        return budget


class DecodingConfig(Section):
    """How hypotheses are searched unless inference is told otherwise; validation is greedy, up to `max_length`.

    A transcript is by default as long as its recording allows. `ctc_weight` is the share of CTC in scores. `lm_weight`
    is the factor of a language model's log-probabilities, where one takes part.
    """

    beam_size: Annotated[int, Field(ge=1, le=1000, strict=True)] = 5
    length_penalty: Annotated[float, Field(ge=0, le=10, strict=True)] = 1.0
    max_length: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 256
    ctc_weight: Annotated[float, Field(ge=0, le=1, strict=True)] | None = None
    lm_weight: Annotated[float, Field(ge=0, le=10, strict=True)] | None = None


class BaseRunConfig(Section):
    """What every training run has, whatever it trains."""

    seed: Natural = 1
    model: Section
    regularisation: RegularisationConfig = RegularisationConfig()
    training: TrainingConfig


class RunConfig(BaseRunConfig):
    """One training run of an encoder-decoder. What is not given and depends on other keys is filled in: `_settle`."""

    model: ModelConfig = ModelConfig()
    augmentation: AugmentationConfig | None = None
    decoding: DecodingConfig = DecodingConfig()

    @model_validator(mode="after")
    def _settle(self) -> "RunConfig":
        """Refuse what has no effect on such sources, and set what depends on them."""
        frames, ctc = self.model.frontend.reads_frames, self.model.ctc
        if problems := list(_idle(self, frames)):
            raise ValueError("; ".join(problems))
        training: dict[str, object] = {"ctc": (self.training.ctc or CtcConfig()) if ctc else None}
        if frames:
            training |= {"batch_frames": self.training.batch_frames or BATCH_FRAMES}
        else:
            training |= {"batch_tokens": self.training.batch_tokens or BATCH_TOKENS}
        training["validation_metric"] = self.training.validation_metric or ("wer" if frames else "bleu")
        decoding: dict[str, object] = {}
        if ctc and self.decoding.ctc_weight is None:
            decoding["ctc_weight"] = CTC_WEIGHT
        if frames and "max_length" not in self.decoding.model_fields_set:
            decoding["max_length"] = LONGEST_TRANSCRIPT
        for name, update in (("training", training), ("decoding", decoding)):
            settled = getattr(self, name).model_copy(update=update)
            object.__setattr__(self, name, settled)  # the model is frozen for all others
        return self


def _idle(config: RunConfig, frames: bool) -> Iterator[str]:
    """What is set but has no effect on sources of that kind or on such a model, as parts of a sentence."""
    training, regularisation = config.training, config.regularisation
    if frames:
        if training.batch_tokens is not None:
            yield "training.batch_tokens has no effect on audio: set training.batch_frames"
        if regularisation.source_word_dropout or regularisation.subword_sampling:
            yield "source_word_dropout and subword_sampling have no effect on audio: set them to 0"
    else:
        if training.batch_frames is not None:
            yield "training.batch_frames has no effect on text: set training.batch_tokens"
        if config.augmentation is not None:
            yield "augmentation has no effect on text: remove it"
    if training.truncation is not None:
        yield "training.truncation has an effect on language models alone: remove it"
    if regularisation.weight_dropout and {config.model.encoder.cell, config.model.decoder.cell} == {"min-gru"}:
        yield IDLE_WEIGHT_DROPOUT
    if training.ctc is not None and not config.model.ctc:
        yield "training.ctc has no effect without model.ctc = true"
    if config.decoding.lm_weight is not None:
        yield "decoding.lm_weight has no effect on training: give it where the language model is given, or to s2s tune"
    if config.decoding.ctc_weight and not config.model.ctc:
        yield "decoding.ctc_weight has no effect without model.ctc = true"
