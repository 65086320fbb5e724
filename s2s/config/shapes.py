"""The shapes of models that are no translators: many to one, aligned many to many, one to many."""

from typing import Literal

from pydantic import model_validator

from s2s.config.model import Cell, EncoderConfig
from s2s.config.section import Count, Section

StepFrontend = Literal["embedding", "vectors"]
"""What leaves as many steps as there were: an embedding of ids, or an affine map of vectors."""


class ReaderConfig(Section):
    """What reads a whole sequence and tells one thing of it: a class, or values.

    `frontend_width` is that of the vectors which the frontend makes. `pooling` is what is left of the steps: their
    mean, the largest of each feature, or the last output of each direction.
    """

    frontend: Literal["embedding", "vectors", "convolution", "pyramid"]
    frontend_width: Count = 64
    encoder: EncoderConfig = EncoderConfig(layers=1)
    pooling: Literal["mean", "max", "last"] = "mean"

    @model_validator(mode="after")
    def _pyramid_is_even(self) -> "ReaderConfig":
        if self.frontend == "pyramid" and self.frontend_width % 2:
            raise ValueError("frontend_width must be even for the pyramid, whose layers have two directions")
        return self


class TaggerConfig(Section):
    """What tells something of each step, having read the whole sequence."""

    frontend: StepFrontend
    frontend_width: Count = 64
    encoder: EncoderConfig = EncoderConfig(layers=1)


class OnlineTaggerConfig(Section):
    """What tells something of each step from the steps so far; `width` is the recurrent width H."""

    frontend: StepFrontend
    frontend_width: Count = 64
    cell: Cell = "lstm"
    layers: Count = 1
    width: Count = 64


class WriterConfig(Section):
    """What writes tokens from one vector, which sets its first state; `width` is the recurrent width H."""

    embedding_width: Count = 64
    tied_embeddings: Literal["none", "output"] = "output"
    cell: Cell = "lstm"
    layers: Count = 1
    width: Count = 128
