"""The shape of a language model, and a run that trains one."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator

from s2s.config.model import Cell, ModelConfig
from s2s.config.run import BATCH_TOKENS, IDLE_WEIGHT_DROPOUT, BaseRunConfig
from s2s.config.section import Count, Section

KIND: Literal["language-model"] = "language-model"
"""The `kind` of a language model; the shape of an encoder-decoder has none."""

TRUNCATION = 64


class LanguageModelConfig(Section):
    """A stack of recurrent layers over one vocabulary; `width` is their recurrent width H.

    `context` is what the next token depends on: the line so far, or the running text, in which lines follow each other.
    """

    kind: Literal["language-model"]
    embedding_width: Count = 256
    tied_embeddings: Literal["none", "output"] = "output"
    cell: Cell = "lstm"
    layers: Count = 2
    width: Count = 512
    context: Literal["line", "text"] = "line"


class LanguageRunConfig(BaseRunConfig):
    """One training run of a language model."""

    model: LanguageModelConfig

    @model_validator(mode="after")
    def _settle(self) -> "LanguageRunConfig":
        if problems := list(_problems(self)):
            raise ValueError("; ".join(problems))
        settled = {"batch_tokens": self.training.batch_tokens or BATCH_TOKENS, "validation_metric": "loss"}
        if self.model.context == "text":
            settled["truncation"] = self.training.truncation or TRUNCATION
        object.__setattr__(self, "training", self.training.model_copy(update=settled))
        return self


def _problems(config: LanguageRunConfig) -> Iterator[str]:
    """What is set but has no effect on a language model, or cannot be kept, as parts of a sentence."""
    training, regularisation = config.training, config.regularisation
    budget, steps = training.batch_tokens or BATCH_TOKENS, training.truncation or TRUNCATION
    if config.model.context == "text" and budget < steps:
        yield (
            f"training.batch_tokens = {budget:,} has no room for a row of running text, which is training.truncation = "
            f"{steps:,} tokens long: raise the one, or lower the other"
        )
    if training.ctc is not None:
        yield "training.ctc has no effect on a language model: remove it"
    if training.batch_frames is not None:
        yield "training.batch_frames has no effect on text: set training.batch_tokens"
    if training.validation_metric not in (None, "loss"):
        yield f'training.validation_metric = "{training.validation_metric}" needs references: set it to "loss"'
    if training.truncation is not None and config.model.context == "line":
        yield 'training.truncation has no effect on lines: remove it, or set model.context = "text"'
    if training.shortest_first and config.model.context == "text":
        yield "training.shortest_first has no effect on running text, which keeps its order: remove it"
    if regularisation.weight_dropout and config.model.cell == "min-gru":
        yield IDLE_WEIGHT_DROPOUT
    if regularisation.source_word_dropout or regularisation.subword_sampling:
        yield "source_word_dropout and subword_sampling have no effect on a language model: set them to 0"


def _kind(shape: Mapping[str, Any] | Section) -> Any:
    return shape.get("kind", "") if isinstance(shape, Mapping) else getattr(shape, "kind", "")


AnyModelConfig = Annotated[
    Annotated[ModelConfig, Tag("")] | Annotated[LanguageModelConfig, Tag(KIND)], Discriminator(_kind)
]
"""The shape of whatever a model directory holds."""
