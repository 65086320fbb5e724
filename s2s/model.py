"""Seq2Seq: frontend, encoder, bridge, attention, decoder and output as one model, for text and audio alike."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from s2s.config import AttentionConfig, ModelConfig, RegularisationConfig
from s2s.errors import ConfigError
from s2s.nn.attention import AdditiveAttention, Attention, DotAttention, GeneralAttention, MultiHeadAttention
from s2s.nn.bridge import Bridge, ZeroBridge
from s2s.nn.ctc import CtcHead
from s2s.nn.decoder import DecoderState, InputFeedingDecoder, Memory, ParallelDecoder
from s2s.nn.encoder import Encoded, Encoder
from s2s.nn.frontends import ConvolutionFrontend, Frontend, PyramidFrontend, TextFrontend
from s2s.nn.initialisation import initialise
from s2s.nn.location_attention import LocationAwareAttention
from s2s.nn.output import Output

CHANNELS = 32
"""Channels of a convolutional frontend for which the config names none."""

NO_REGULARISATION = RegularisationConfig(**dict.fromkeys(RegularisationConfig.model_fields, 0.0))


@dataclass(frozen=True)
class Decoded:
    """`features` (B, T, E) are what the output layer compares with the vocabulary; `attention` is (B, T, S)."""

    features: Tensor
    attention: Tensor


class Seq2Seq(nn.Module):
    """An encoder-decoder; only `frontend` knows what sources are made of. `ctc` reads labels off the encoder alone."""

    def __init__(
        self,
        frontend: Frontend,
        encoder: Encoder,
        bridge: Bridge | ZeroBridge,
        target_frontend: TextFrontend,
        decoder: ParallelDecoder | InputFeedingDecoder,
        output: Output,
        ctc: CtcHead | None = None,
    ) -> None:
        super().__init__()
        self.frontend = frontend
        self.encoder = encoder
        self.bridge = bridge
        self.target_frontend = target_frontend
        self.decoder = decoder
        self.output = output
        self.ctc = ctc

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    def read(self, source: Tensor, lengths: Tensor) -> Encoded:
        """What the encoder makes of sources (B, S, ...) of lengths (B), in as many steps as the frontend leaves.

        Features may come in another precision than the model's.
        """
        if source.is_floating_point():
            source = source.to(next(self.parameters()).dtype)
        encoded: Encoded = self.encoder(*self.frontend(source, lengths))
        return encoded

    def remember(self, encoded: Encoded) -> Memory:
        """The memory that the decoder reads."""
        keys, values = self.decoder.attention.prepare(encoded.values)
        return Memory(keys, values, encoded.mask, self.bridge(encoded))

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """`read` and `remember` in one."""
        return self.remember(self.read(source, lengths))

    def ctc_log_probs(self, encoded: Encoded) -> Tensor:
        """Log-probabilities (B, S, V) of the labels at each step of the encoder, of which PAD is the blank."""
        assert self.ctc is not None, "the model has no CTC"
        return torch.log_softmax(self.ctc(encoded.values).float(), dim=2)

    def decode(self, memory: Memory, inputs: Tensor) -> Decoded:
        """All target inputs (B, T) at once, BOS first."""
        state = self.start(memory)
        features, attention, _ = self.decoder(self.target_frontend.embed(inputs), state)
        return Decoded(self.output.narrow(features), attention)

    def logits(self, features: Tensor) -> Tensor:
        """Features (..., E) of `decode` to logits (..., V)."""
        logits: Tensor = self.output(features)
        return logits

    def start(self, memory: Memory) -> DecoderState:
        """The state before the first step, with a row for each source."""
        return self.decoder.start(memory)

    def step(self, state: DecoderState, tokens: Tensor) -> tuple[Tensor, DecoderState]:
        """One token per row (N) to log-probabilities of the next (N, V) and the state after it."""
        features, _, state = self.decoder(self.target_frontend.embed(tokens.unsqueeze(1)), state)
        logits = self.logits(self.output.narrow(features)[:, 0])
        return torch.log_softmax(logits.float(), dim=1), state


def build_model(
    config: ModelConfig, source_size: int, target_size: int, regularisation: RegularisationConfig = NO_REGULARISATION
) -> Seq2Seq:
    """A model with fresh weights, drawn from torch's default generator.

    `source_size` counts the entries of the source's vocabulary, or the features of a frame. ConfigError: three-way tied
    embeddings with two vocabularies, or dot attention between unequal widths.
    """
    drop = regularisation
    target_embedding, output_embedding = _target_embeddings(config, target_size)
    frontend = _frontend(config, source_size, target_embedding, drop)
    encoder = Encoder(
        config.encoder.cell,
        frontend.width,
        config.encoder.width,
        config.encoder.layers,
        drop.layer_dropout,
        drop.weight_dropout,
    )
    decoder_kind = ParallelDecoder if config.decoder.kind == "parallel" else InputFeedingDecoder
    decoder = decoder_kind(
        config.decoder.cell,
        config.embedding_width,
        config.decoder.width,
        config.decoder.layers,
        _attention(config.attention, config.decoder.width, encoder.width),
        drop.layer_dropout,
        drop.weight_dropout,
    )
    model = Seq2Seq(
        frontend,
        encoder,
        _bridge(config, encoder),
        TextFrontend(target_embedding, drop.embedding_dropout, drop.target_word_dropout),
        decoder,
        Output(decoder.feature_width, output_embedding, drop.output_dropout),
        CtcHead(encoder.width, target_size) if config.ctc else None,
    )
    initialise(model)
    return model


def _target_embeddings(config: ModelConfig, size: int) -> tuple[nn.Embedding, nn.Embedding]:
    """The embeddings of target and output; the same object where they are tied."""
    target = nn.Embedding(size, config.embedding_width)
    return target, target if config.tied_embeddings != "none" else nn.Embedding(size, config.embedding_width)


def _frontend(config: ModelConfig, size: int, target: nn.Embedding, drop: RegularisationConfig) -> Frontend:
    kind, width = config.frontend.kind, config.frontend.width or 2 * config.encoder.width
    if kind == "convolution":
        return ConvolutionFrontend(size, config.frontend.channels or CHANNELS, width, drop.embedding_dropout)
    if kind == "pyramid":
        return PyramidFrontend(size, config.encoder.cell, width, drop.embedding_dropout, drop.weight_dropout)
    if config.tied_embeddings != "three-way":
        embedding = nn.Embedding(size, config.embedding_width)
    elif size == target.num_embeddings:
        embedding = target
    else:
        raise ConfigError(
            f'tied_embeddings = "three-way" needs one joint vocabulary, but the source has {size:,} entries '
            f'and the target {target.num_embeddings:,}. Set model.tied_embeddings = "output", or prepare joint data.'
        )
    return TextFrontend(embedding, drop.embedding_dropout, drop.source_word_dropout)


def _attention(config: AttentionConfig, query_width: int, memory_width: int) -> Attention:
    if config.kind == "dot":
        if query_width != memory_width:
            raise ConfigError(
                f"dot attention needs model.decoder.width ({query_width}) to be the width of the memory "
                f'({memory_width}: twice model.encoder.width). Set one of them, or model.attention.kind = "general".'
            )
        return DotAttention(memory_width)
    if config.kind == "general":
        return GeneralAttention(query_width, memory_width)
    width = config.width or query_width
    if config.kind == "additive":
        return AdditiveAttention(query_width, memory_width, width)
    if config.kind == "location-aware":
        return LocationAwareAttention(query_width, memory_width, width)
    heads = config.heads or 4
    if width % heads:
        raise ConfigError(f"model.attention.width ({width}) must be a multiple of model.attention.heads ({heads}).")
    return MultiHeadAttention(query_width, memory_width, width, heads)


def _bridge(config: ModelConfig, encoder: Encoder) -> Bridge | ZeroBridge:
    parts = 2 if config.decoder.cell == "lstm" else 1
    if config.bridge == "zeros":
        return ZeroBridge(config.decoder.width, config.decoder.layers, parts)
    return Bridge(config.bridge, encoder.width, config.decoder.width, config.decoder.layers, parts)
