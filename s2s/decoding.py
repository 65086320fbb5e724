"""From a model and a batch to hypotheses or scores; validation and inference both come here."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from s2s.config import DecodingConfig
from s2s.data.batches import Batch
from s2s.language_model import LanguageModel
from s2s.model import Seq2Seq
from s2s.search import (
    Hypothesis,
    SamplingOptions,
    SearchOptions,
    Step,
    fused_step,
    joint_step,
    sample,
    search,
    without_loops,
)
from s2s.search.hypothesis import AnyState
from s2s.text.vocabulary import BOS, EOS, PAD


class Masked(Protocol):
    """What a model makes of sources before it is asked for tokens."""

    @property
    def mask(self) -> Tensor:
        """True (B, S) at real positions."""


AnyEncoded = TypeVar("AnyEncoded", bound=Masked)
AnyMemory = TypeVar("AnyMemory")


class Decodable(Protocol[AnyEncoded, AnyMemory, AnyState]):
    """What a search asks of a model; see `Seq2Seq`, whose methods these are, whatever computes them."""

    @property
    def training(self) -> bool:
        """Whether dropout is on."""

    @property
    def device(self) -> torch.device:
        """Where tensors must be."""

    def read(self, source: Tensor, lengths: Tensor) -> AnyEncoded:
        """Sources (B, S, ...) of lengths (B), encoded."""

    def remember(self, encoded: AnyEncoded) -> AnyMemory:
        """The memory that steps read."""

    def ctc_log_probs(self, encoded: AnyEncoded) -> Tensor:
        """Log-probabilities (B, S, V) of labels at each step of the encoder."""

    def start(self, memory: AnyMemory) -> AnyState:
        """The state before the first step."""

    def step(self, state: AnyState, tokens: Tensor) -> tuple[Tensor, AnyState]:
        """One token per row (N) to log-probabilities of the next (N, V) and the state after it."""


def cut(source: list[int], max_length: int) -> list[int]:
    """Source ids that end with EOS: the first `max_length` of them and EOS, if there are more."""
    return source if len(source) <= max_length + 1 else [*source[:max_length], EOS]


@dataclass(frozen=True)
class Fusion:
    """A language model of the target's vocabulary, and the factor of its log-probabilities."""

    model: LanguageModel
    weight: float


@torch.inference_mode()
def decode_batch(
    model: Decodable[AnyEncoded, AnyMemory, AnyState],
    source: Tensor,
    source_lengths: Tensor,
    limits: Tensor,
    decoding: DecodingConfig,
    n_best: int = 1,
    fusion: Fusion | None = None,
) -> list[list[Hypothesis]]:
    """The `n_best` best hypotheses of each source (B, S, ...) with its length (B), on the model's device; see `search`.

    No hypothesis has more tokens than its limit (B), or than `decoding.max_length`.
    """
    return decode_encoded(model, model.read(source, source_lengths), limits, decoding, n_best, fusion)


@torch.inference_mode()
def decode_encoded(
    model: Decodable[AnyEncoded, AnyMemory, AnyState],
    encoded: AnyEncoded,
    limits: Tensor,
    decoding: DecodingConfig,
    n_best: int = 1,
    fusion: Fusion | None = None,
    guarded: bool = False,
) -> list[list[Hypothesis]]:
    """`decode_batch` for sources that are encoded already; `guarded` by attention alone against endless repetition.

    The scores of a language model are added to those of attention and CTC together, as they are weighted.
    """
    assert not model.training, "dropout would change what is found"
    step: Step[Any] = model.step
    state: Any = model.start(model.remember(encoded))
    options = SearchOptions(decoding.beam_size, decoding.length_penalty, n_best)
    limits = limits.clamp(max=decoding.max_length)
    never = (PAD, BOS)
    if decoding.ctc_weight:
        log_probs, lengths = model.ctc_log_probs(encoded), encoded.mask.sum(1)
        step, state = joint_step(step, state, log_probs, lengths, decoding.ctc_weight, PAD, EOS)
    elif guarded:
        step, state = without_loops(step, state)
    if fusion is not None:
        step, state = fused_step(step, state, fusion.model.step, fusion.model.start(len(limits)), fusion.weight)
    return search(step, state, limits, options, BOS, EOS, never)


@torch.inference_mode()
def sample_encoded(
    model: Decodable[AnyEncoded, AnyMemory, AnyState],
    encoded: AnyEncoded,
    limits: Tensor,
    draws: Tensor,
    options: SamplingOptions,
    length_penalty: float,
    never: Tensor,
) -> list[list[Hypothesis]]:
    """For each source the hypotheses that are drawn at the places `draws` (B, n, T), without its tokens `never` (B, K).

    See `s2s.search.sample`.
    """
    assert not model.training, "dropout would change what is found"
    count = draws.shape[1]
    rows = torch.arange(len(limits), device=limits.device).repeat_interleave(count)
    state = model.start(model.remember(encoded)).reorder(rows)
    begun = torch.full_like(rows, BOS)
    places = draws.flatten(0, 1)
    found = sample(model.step, state, begun, limits[rows], places, options, length_penalty, EOS, never[rows])
    return [found[first : first + count] for first in range(0, len(found), count)]


@torch.inference_mode()
def score_batch(model: Seq2Seq, batch: Batch) -> list[list[float]]:
    """The log-probability of each label of each segment, EOS last, under teacher forcing."""
    assert not model.training, "dropout would change the scores"
    decoded = model.decode(model.encode(batch.source, batch.source_lengths), batch.target[:, :-1])
    log_probs = torch.log_softmax(model.logits(decoded.features).float(), dim=2)
    chosen = log_probs.gather(2, batch.target[:, 1:].unsqueeze(2)).squeeze(2)
    return [row[:length] for row, length in zip(chosen.tolist(), batch.target_lengths.tolist(), strict=True)]
