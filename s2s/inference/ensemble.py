"""Several models as one: at each step of a search the probabilities that they give are averaged.

The arithmetic mean of probabilities, as in "Sequence to Sequence Learning with Neural Networks" (Sutskever et al. 2014,
arXiv:1409.3215, section 3.6). Each model keeps its own encoder, memory and state, so that their shapes may differ.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from s2s.checkpoint import Loaded, LoadedModel
from s2s.data.codec import PairCodec
from s2s.decoding import Decodable, Masked
from s2s.errors import UsageError
from s2s.export.runner import ExportedModel
from s2s.search import State

Member = LoadedModel | ExportedModel
"""One model of an ensemble, or one that works alone."""


@dataclass(frozen=True)
class Encodings:
    """What the encoder of each member makes of the same sources."""

    members: tuple[Masked, ...]

    @property
    def mask(self) -> Tensor:
        """True (B, S) at real positions of the first."""
        return self.members[0].mask


@dataclass(frozen=True)
class EnsembleState:
    """The state of each member, see `s2s.search.State`."""

    members: tuple[State, ...]

    @property
    def attention(self) -> Tensor | None:
        """The mean (N, S) of the members' weights; those of the first where encoders leave unequal numbers of steps."""
        weights = [member.attention for member in self.members]
        looked = [one.float() for one in weights if one is not None]
        if not looked or len({one.shape for one in looked}) > 1:
            return weights[0]
        return torch.stack(looked).mean(0)

    def reorder(self, index: Tensor) -> "EnsembleState":
        """The state of the given rows (N'), in their order; rows may be dropped or come several times."""
        return EnsembleState(tuple(member.reorder(index) for member in self.members))


class Ensemble:
    """Models of one vocabulary as a model that can be searched, see `s2s.decoding.Decodable`."""

    def __init__(self, models: Sequence[Decodable[Any, Any, Any]]) -> None:
        assert models
        self._models = tuple(models)

    @property
    def training(self) -> bool:
        """Whether dropout is on in any."""
        return any(model.training for model in self._models)

    @property
    def device(self) -> torch.device:
        """Where all compute."""
        return self._models[0].device

    def read(self, source: Tensor, lengths: Tensor) -> Encodings:
        """See `Seq2Seq`."""
        return Encodings(tuple(model.read(source, lengths) for model in self._models))

    def remember(self, encoded: Encodings) -> tuple[Any, ...]:
        """The memory of each, see `Seq2Seq`."""
        return tuple(model.remember(one) for model, one in zip(self._models, encoded.members, strict=True))

    def ctc_log_probs(self, encoded: Encodings) -> Tensor:
        """Logarithms (B, S, V) of the mean probabilities of labels at each step of the encoders."""
        masks = [one.mask for one in encoded.members]
        assert all(torch.equal(mask, masks[0]) for mask in masks), "of unequal steps there is no mean"
        pairs = zip(self._models, encoded.members, strict=True)
        return mean_probability([model.ctc_log_probs(one) for model, one in pairs])

    def start(self, memory: tuple[Any, ...]) -> EnsembleState:
        """See `Seq2Seq`."""
        return EnsembleState(tuple(model.start(one) for model, one in zip(self._models, memory, strict=True)))

    def step(self, state: EnsembleState, tokens: Tensor) -> tuple[Tensor, EnsembleState]:
        """One token per row (N) to logarithms (N, V) of the mean probabilities of the next, and the state after it."""
        pairs = zip(self._models, state.members, strict=True)
        found = [model.step(one, tokens) for model, one in pairs]
        log_probs = mean_probability([scores for scores, _ in found])
        return log_probs, EnsembleState(tuple(after for _, after in found))


def mean_probability(log_probs: Sequence[Tensor]) -> Tensor:
    """The logarithm of the mean of probabilities, of which the logarithms are given, all of one shape; in float32."""
    total = reduce(torch.logaddexp, [one.float() for one in log_probs])  # of two, five times as fast as logsumexp
    return total - math.log(len(log_probs))


@dataclass(frozen=True)
class LoadedEnsemble(Loaded):
    """An ensemble; what belongs to it beside the models, such as how to search, tuned or not, is the first's."""

    model: Ensemble
    members: tuple[Member, ...]


def join(members: Sequence[Member]) -> LoadedEnsemble:
    """The ensemble of models on one device.

    UsageError: one is named twice, or two do not read and write the same.
    """
    first = members[0]
    folders = [member.folder.resolve() for member in members]
    for number, member in enumerate(members[1:], start=1):
        if folders[number] in folders[:number]:
            raise UsageError(f"{member.folder} is named twice: each model of an ensemble counts once. Leave one out.")
        _check_alike(first, member)
    ensemble = Ensemble([member.model for member in members])
    return LoadedEnsemble(first.folder, first.codec, first.info, ensemble, tuple(members))


def members_of(loaded: Loaded) -> tuple[Loaded, ...]:
    """The models that work together; one that works alone is the only one."""
    return loaded.members if isinstance(loaded, LoadedEnsemble) else (loaded,)


def _check_alike(first: Member, other: Member) -> None:
    """UsageError names in what two models differ that must be the same."""
    one, two = first.codec, other.codec
    assert isinstance(one, PairCodec) and isinstance(two, PairCodec)
    if one.kind != two.kind:
        raise UsageError(
            f"{first.folder} reads {one.kind} and {other.folder} {two.kind}: models of an ensemble read the same. "
            "Leave one out."
        )
    differing = [name for name, value in one.identity.items() if two.identity[name] != value]
    if differing:
        raise UsageError(
            f"{first.folder} and {other.folder} are no ensemble: they do not have the same {' and '.join(differing)}. "
            "Train all models on the same prepared data, or one from the other (`s2s train --from`)."
        )
