"""Models of the other shapes of sequence: many to one, aligned many to many, one to many."""

from typing import Literal

import torch
from torch import Tensor, nn

from s2s.config import OnlineTaggerConfig, ReaderConfig, RegularisationConfig, TaggerConfig, WriterConfig
from s2s.config.language import LanguageModelConfig
from s2s.language_model import LanguageModel, LanguageState, build_language_model
from s2s.model import CHANNELS, NO_REGULARISATION
from s2s.nn.dropout import LockedDropout
from s2s.nn.encoder import Encoder
from s2s.nn.frontends import ConvolutionFrontend, Frontend, PyramidFrontend, TextFrontend, VectorFrontend
from s2s.nn.heads import PooledHead
from s2s.nn.initialisation import initialise
from s2s.nn.rnn import State
from s2s.nn.stack import RecurrentStack
from s2s.search import Hypothesis, SearchOptions, search
from s2s.text.vocabulary import BOS, EOS, PAD


class SequenceReader(nn.Module):
    """Many to one: a classifier, whose outputs are logits of classes, or a forecaster, whose outputs are values."""

    def __init__(self, frontend: Frontend, encoder: Encoder, head: PooledHead) -> None:
        super().__init__()
        self.frontend = frontend
        self.encoder = encoder
        self.head = head

    def forward(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Sources (B, S, ...) of lengths (B) to outputs (B, 1, O)."""
        outputs: Tensor = self.head(self.encoder(*self.frontend(source, lengths)))
        return outputs.unsqueeze(1)


class Tagger(nn.Module):
    """Aligned many to many: outputs of each step, which depend on the whole sequence."""

    def __init__(self, frontend: Frontend, encoder: Encoder, outputs: int, dropout: float) -> None:
        super().__init__()
        self.frontend = frontend
        self.encoder = encoder
        self.dropout = LockedDropout(dropout)
        self.project = nn.Linear(encoder.width, outputs)

    def forward(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Sources (B, S, ...) of lengths (B) to outputs (B, S, O)."""
        outputs: Tensor = self.project(self.dropout(self.encoder(*self.frontend(source, lengths)).values))
        return outputs


class OnlineTagger(nn.Module):
    """Aligned many to many: outputs of each step from the steps so far, so that a sequence can be read in pieces."""

    def __init__(self, frontend: Frontend, stack: RecurrentStack, outputs: int, dropout: float) -> None:
        super().__init__()
        self.frontend = frontend
        self.stack = stack
        self.dropout = LockedDropout(dropout)
        self.project = nn.Linear(stack.feature_width, outputs)

    def start(self, rows: int) -> tuple[State, ...]:
        """The state of zeros before the first step of so many sequences."""
        return self.stack.start(self.project.bias.new_zeros(rows))

    def forward(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Sources (B, S, ...) of lengths (B) to outputs (B, S, O), from a state of zeros on."""
        return self.read(source, lengths, self.start(len(source)))[0]

    def read(self, source: Tensor, lengths: Tensor, states: tuple[State, ...]) -> tuple[Tensor, tuple[State, ...]]:
        """The same from given states on, one of (B, H) tensors for each layer, with those after the last step.

        Where sequences have padding, the states after them are those after the padding.
        """
        features, after = self.stack(self.frontend(source, lengths)[0], states)
        outputs: Tensor = self.project(self.dropout(features))
        return outputs, after


class SequenceWriter(nn.Module):
    """One to many: a language model whose first state is an affine map and tanh of a vector.

    As an image is captioned by Vinyals et al. 2015, "Show and Tell", arXiv:1411.4555, but for their vector, which is
    the first input.
    """

    def __init__(self, vector_width: int, decoder: LanguageModel) -> None:
        super().__init__()
        self.decoder = decoder
        stack = decoder.stack
        self.project = nn.Linear(vector_width, len(stack.layers) * stack.state_parts * stack.width)

    def start(self, vectors: Tensor) -> LanguageState:
        """Vectors (B, F) to the state before the first token."""
        stack = self.decoder.stack
        chunks = torch.tanh(self.project(vectors)).chunk(len(stack.layers) * stack.state_parts, dim=1)
        parts = [chunk.contiguous() for chunk in chunks]
        size = stack.state_parts
        return LanguageState(tuple(tuple(parts[n : n + size]) for n in range(0, len(parts), size)))

    def read(self, vectors: Tensor, inputs: Tensor) -> Tensor:
        """Vectors (B, F) and target inputs (B, T), BOS first, to what the vocabulary is compared with (B, T, E)."""
        return self.decoder.read(inputs, self.start(vectors))[0]

    def step(self, state: LanguageState, tokens: Tensor) -> tuple[Tensor, LanguageState]:
        """One token per row (N) to log-probabilities of the next (N, V) and the state after it."""
        return self.decoder.step(state, tokens)


@torch.inference_mode()
def write(model: SequenceWriter, vectors: Tensor, longest: int, options: SearchOptions) -> list[list[Hypothesis]]:
    """The best hypotheses of what vectors (B, F) say, of at most so many tokens; see `s2s.search.search`."""
    assert not model.training, "dropout would change what is found"
    limits = torch.full((len(vectors),), longest, device=vectors.device)
    return search(model.step, model.start(vectors), limits, options, BOS, EOS, (PAD, BOS))


def build_reader(
    config: ReaderConfig, source_size: int, outputs: int, regularisation: RegularisationConfig = NO_REGULARISATION
) -> SequenceReader:
    """A model with fresh weights, drawn from torch's default generator, for so many ids, or features of a step."""
    drop = regularisation
    frontend = _frontend(config, source_size, drop)
    encoder = _encoder(config, frontend, drop)
    model = SequenceReader(frontend, encoder, PooledHead(encoder.width, outputs, config.pooling, drop.output_dropout))
    initialise(model)
    return model


def build_tagger(
    config: TaggerConfig, source_size: int, outputs: int, regularisation: RegularisationConfig = NO_REGULARISATION
) -> Tagger:
    """The same for a tagger of so many tags, or values at each step."""
    frontend = _step_frontend(config.frontend, source_size, config.frontend_width, regularisation)
    model = Tagger(frontend, _encoder(config, frontend, regularisation), outputs, regularisation.output_dropout)
    initialise(model)
    return model


def build_online_tagger(
    config: OnlineTaggerConfig, source_size: int, outputs: int, regularisation: RegularisationConfig = NO_REGULARISATION
) -> OnlineTagger:
    """The same for a tagger that reads ahead only."""
    drop = regularisation
    frontend = _step_frontend(config.frontend, source_size, config.frontend_width, drop)
    stack = RecurrentStack(
        config.cell, frontend.width, config.width, config.layers, drop.layer_dropout, drop.weight_dropout
    )
    model = OnlineTagger(frontend, stack, outputs, drop.output_dropout)
    initialise(model)
    return model


def build_writer(
    config: WriterConfig, vector_width: int, size: int, regularisation: RegularisationConfig = NO_REGULARISATION
) -> SequenceWriter:
    """A model that writes in a vocabulary of `size` entries what vectors (B, F) say; F is `vector_width`."""
    shape = LanguageModelConfig(kind="language-model", **config.model_dump())
    model = SequenceWriter(vector_width, build_language_model(shape, size, regularisation))
    initialise(model)
    return model


def _encoder(config: ReaderConfig | TaggerConfig, frontend: Frontend, drop: RegularisationConfig) -> Encoder:
    shape = config.encoder
    return Encoder(shape.cell, frontend.width, shape.width, shape.layers, drop.layer_dropout, drop.weight_dropout)


def _frontend(config: ReaderConfig, size: int, drop: RegularisationConfig) -> Frontend:
    width = config.frontend_width
    if config.frontend == "convolution":
        return ConvolutionFrontend(size, CHANNELS, width, drop.embedding_dropout)
    if config.frontend == "pyramid":
        return PyramidFrontend(size, config.encoder.cell, width, drop.embedding_dropout, drop.weight_dropout)
    return _step_frontend(config.frontend, size, width, drop)


def _step_frontend(
    kind: Literal["embedding", "vectors"], size: int, width: int, drop: RegularisationConfig
) -> Frontend:
    if kind == "vectors":
        return VectorFrontend(size, width, drop.embedding_dropout)
    return TextFrontend(nn.Embedding(size, width), drop.embedding_dropout, drop.source_word_dropout)
