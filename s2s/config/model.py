"""The shape of a model."""

from typing import Literal

from pydantic import model_validator

from s2s.config.section import Count, Section

Cell = Literal["lstm", "gru", "elman", "elman-relu", "min-gru"]


class FrontendConfig(Section):
    """What makes vectors of a source: of ids an embedding; of frames strided convolutions or a recurrent pyramid.

    The latter two leave one step of four frames; `width` is that of their vectors. `channels` are those of the
    convolutions.
    """

    kind: Literal["embedding", "convolution", "pyramid"] = "embedding"
    channels: Count | None = None
    width: Count | None = None

    @property
    def reads_frames(self) -> bool:
        """Whether sources are frames of features and not ids."""
        return self.kind != "embedding"

    @model_validator(mode="after")
    def _no_idle_options(self) -> "FrontendConfig":
        if self.kind != "convolution" and self.channels is not None:
            raise ValueError(f"channels has no effect on the {self.kind} frontend: remove it")
        if self.kind == "embedding" and self.width is not None:
            raise ValueError("width has no effect on the embedding frontend, whose vectors have model.embedding_width")
        if self.kind == "pyramid" and self.width is not None and self.width % 2:
            raise ValueError("width must be even for the pyramid, whose layers have two directions")
        return self


class EncoderConfig(Section):
    """A bidirectional stack; `width` is the recurrent width H of each direction."""

    cell: Cell = "lstm"
    layers: Count = 2
    width: Count = 128


class DecoderConfig(Section):
    """The parallel decoder runs its first layer over the whole target; input feeding loops over time."""

    kind: Literal["parallel", "input-feeding"] = "parallel"
    cell: Cell = "lstm"
    layers: Count = 2
    width: Count = 256

    @model_validator(mode="after")
    def _parallel_needs_two_layers(self) -> "DecoderConfig":
        if self.kind == "parallel" and self.layers < 2:
            raise ValueError("the parallel decoder needs layers = 2 or more: its context enters from layer 2 up")
        return self


class AttentionConfig(Section):
    """`width` is that of the space in which queries meet keys; dot attention takes the memory as it is and has none."""

    kind: Literal["dot", "general", "additive", "multi-head", "location-aware"] = "multi-head"
    heads: Count | None = None
    width: Count | None = None

    @model_validator(mode="after")
    def _no_idle_options(self) -> "AttentionConfig":
        if self.kind != "multi-head" and self.heads is not None:
            raise ValueError(f"heads has no effect on {self.kind} attention: remove it")
        if self.kind in ("dot", "general") and self.width is not None:
            raise ValueError(f"width has no effect on {self.kind} attention: remove it")
        return self


class ModelConfig(Section):
    """The shape of a model: all that is needed, beside vocabulary sizes, to build it again.

    With `ctc`, a second output layer reads labels off the encoder alone.
    """

    frontend: FrontendConfig = FrontendConfig()
    embedding_width: Count = 256
    tied_embeddings: Literal["none", "output", "three-way"] = "three-way"
    ctc: bool = False
    encoder: EncoderConfig = EncoderConfig()
    decoder: DecoderConfig = DecoderConfig()
    attention: AttentionConfig = AttentionConfig()
    bridge: Literal["zeros", "last", "mean"] = "mean"

    @model_validator(mode="after")
    def _parts_fit(self) -> "ModelConfig":
        if self.frontend.reads_frames and self.tied_embeddings == "three-way":
            raise ValueError('tied_embeddings = "three-way" needs sources of tokens: set tied_embeddings = "output"')
        if self.attention.kind == "location-aware" and self.decoder.kind != "input-feeding":
            raise ValueError(
                'location-aware attention reads its own last weights: set decoder.kind = "input-feeding", which loops '
                "over time"
            )
        return self
