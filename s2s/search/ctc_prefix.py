"""Joint decoding: a step of attention and a step of CTC as one, for the search to use like any other.

The score of a token after a prefix is (1 - weight) times its log-probability by attention and `weight` times the
logarithm of what CTC makes of it: the probability of all label sequences that begin with the longer prefix over that of
all that begin with the shorter; for EOS, of the prefix as the whole over that of all that begin with it (Watanabe et
al. 2017, "Hybrid CTC/Attention Architecture for End-to-End Speech Recognition", section IV; Hori et al. 2017,
arXiv:1706.02737). The sum over a finished hypothesis is then (1 - weight) log p(attention) + weight log p(CTC).

Paths of a prefix are summed by the step t at which they stand, in 64 bits. The recursions over t, x(t) = a(t) x(t - 1)
+ b(t), have closed forms in cumulative sums of logarithms; the scores of all tokens at once are one matrix product,
since only a token that repeats the last one depends on how a path ends.
"""

from dataclasses import dataclass, replace
from typing import Generic

import torch
from torch import Tensor
from torch.nn import functional

from s2s.grid import Grid
from s2s.search.hypothesis import AnyState, Step

NEVER = float("-inf")

FAINTEST = -1e4
"""Log-probabilities below it count as it, so that sums of them over thousands of steps keep their last digits."""


@dataclass(frozen=True)
class _Posteriors:
    """What CTC says at each step of each segment; beyond a segment's end (`beyond`, (B, S)) all steps are blanks.

    `log_probs` (B, S, V) are as they were given, `probs` (B, S, V) are zero beyond the end, `blanks` (B, S + 1) are
    log-probabilities of nothing but blanks in steps 1 to t, from t = 0.
    """

    log_probs: Tensor
    probs: Tensor
    blanks: Tensor
    beyond: Tensor

    @classmethod
    def of(cls, log_probs: Tensor, lengths: Tensor, blank: int) -> "_Posteriors":
        beyond = torch.arange(log_probs.shape[1], device=log_probs.device) >= lengths.unsqueeze(1)
        probs = log_probs.to(torch.float64, copy=True).exp_().masked_fill_(beyond.unsqueeze(2), 0.0)
        blanks = log_probs[:, :, blank].double().clamp(min=FAINTEST).masked_fill(beyond, 0.0)
        return cls(log_probs, probs, functional.pad(blanks.cumsum(1), (1, 0)), beyond)

    def select(self, segments: Tensor) -> "_Posteriors":
        """Those of the given segments, in their order."""
        return _Posteriors(*(part[segments] for part in (self.log_probs, self.probs, self.blanks, self.beyond)))

    def of_labels(self, owner: Tensor, labels: Tensor) -> Tensor:
        """Log-probabilities (N, S) of one label (N) for each row at each step of its segment (N)."""
        steps = torch.arange(self.beyond.shape[1], device=owner.device)
        found = self.log_probs[owner.unsqueeze(1), steps, labels.unsqueeze(1)].double().clamp(min=FAINTEST)
        return found.masked_fill(self.beyond[owner], NEVER)

    def of_all(self, owner: Tensor, before: Tensor) -> Tensor:
        """For each token (N, V), the sum over steps of `before` (N, S) times its probability there; all as logarithms.

        The rows of a segment are multiplied with its probabilities together, as a copy of these for each row would
        cost more than the product. Parts below e^-745 of the largest are lost.
        """
        highest = before.amax(1, keepdim=True).clamp(min=torch.finfo(before.dtype).min)
        grid = Grid.of(owner, len(self.probs))
        product = torch.bmm(grid.spread((before - highest).exp_()), self.probs)
        return grid.collect(product).log_().add_(highest)


@dataclass(frozen=True)
class _Prefixes:
    """What CTC knows of the prefix of each row, as log-probabilities.

    `either` (N, S + 1) is that of all paths that spell it in steps 1 to t, from t = 0, and `blank` (N, S + 1) of those
    that end with a blank; `total` (N) that of all label sequences that begin with it, and `again` (N) of those that say
    its last label once more; `last` (N) is this label, the blank if it has none; `owner` (N) is its segment.
    """

    owner: Tensor
    either: Tensor
    blank: Tensor
    total: Tensor
    again: Tensor
    last: Tensor

    @classmethod
    def empty(cls, posteriors: _Posteriors, blank: int) -> "_Prefixes":
        """One row without labels for each segment: all its paths are blanks."""
        blanks = posteriors.blanks
        owner = torch.arange(len(blanks), device=blanks.device)
        total = blanks.new_zeros(len(blanks))
        return cls(owner, blanks, blanks, total, torch.full_like(total, NEVER), torch.full_like(owner, blank))

    def select(self, rows: Tensor) -> "_Prefixes":
        """Those of the given rows, in their order."""
        parts = (self.owner, self.either, self.blank, self.total, self.again, self.last)
        return _Prefixes(*(part[rows] for part in parts))

    def extend(self, posteriors: _Posteriors, labels: Tensor) -> "_Prefixes":
        """Each with one more label (N); a label that comes twice needs a blank between."""
        own = posteriors.of_labels(self.owner, labels)
        blanks = posteriors.blanks[self.owner]
        before = torch.where((labels == self.last).unsqueeze(1), self.blank, self.either)
        entering = before[:, :-1] + own
        labelled = _recursion(own.clamp(min=FAINTEST).cumsum(1), entering)
        blank = _recursion(blanks[:, 1:], labelled[:, :-1] + blanks.diff(dim=1))
        total, again = torch.logsumexp(entering, dim=1), torch.logsumexp(blank[:, :-1] + own, dim=1)
        return _Prefixes(self.owner, torch.logaddexp(labelled, blank), blank, total, again, labels)


def _recursion(stay: Tensor, entering: Tensor) -> Tensor:
    """x(t) = a(t) x(t - 1) + b(t) from x(0) = 0, as logarithms (N, S + 1): `stay` is the cumulative sum of a."""
    return functional.pad(stay + torch.logcumsumexp(entering - stay, dim=1), (1, 0), value=NEVER)


@dataclass(frozen=True)
class JointState(Generic[AnyState]):
    """The state of attention's own step and what CTC knows of each prefix, which is None before the first step."""

    inner: AnyState
    posteriors: _Posteriors
    prefixes: _Prefixes | None = None

    @property
    def attention(self) -> Tensor | None:
        """Weights (N, S) of attention over the source at the last step."""
        return self.inner.attention

    def reorder(self, index: Tensor) -> "JointState[AnyState]":
        """The state of the given rows (N'), in their order; rows may be dropped or come several times."""
        inner = self.inner.reorder(index)
        assert self.prefixes is not None, "before the first step each segment has its one row"
        prefixes, posteriors = self.prefixes.select(index), self.posteriors
        segments, owner = torch.unique(prefixes.owner, return_inverse=True)
        if 2 * len(segments) <= len(posteriors.probs):  # a product with segments that are finished costs as much
            prefixes, posteriors = replace(prefixes, owner=owner), posteriors.select(segments)
        return JointState(inner, posteriors, prefixes)


def joint_step(
    step: Step[AnyState],
    state: AnyState,
    log_probs: Tensor,
    lengths: Tensor,
    weight: float,
    blank: int,
    eos: int,
) -> tuple[Step[JointState[AnyState]], JointState[AnyState]]:
    """A step and its first state that score tokens by attention and CTC together.

    `state` has one row per segment; `log_probs` (B, S, V) are CTC's over the same vocabulary, of which the first
    `lengths` (B) steps are real. `weight` is CTC's share: 0 leaves the scores of `step` as they are, 1 is CTC prefix
    search. The blank is never generated.
    """
    assert 0 <= weight <= 1

    def joint(state: JointState[AnyState], tokens: Tensor) -> tuple[Tensor, JointState[AnyState]]:
        scores, inner = step(state.inner, tokens)
        posteriors, prefixes = state.posteriors, state.prefixes
        prefixes = _Prefixes.empty(posteriors, blank) if prefixes is None else prefixes.extend(posteriors, tokens)
        if weight > 0:
            own = _scores(posteriors, prefixes, blank, eos).to(scores.dtype)
            scores = own if weight == 1 else (1 - weight) * scores + weight * own
        return scores, JointState(inner, posteriors, prefixes)

    return joint, JointState(state, _Posteriors.of(log_probs, lengths, blank))


def _scores(posteriors: _Posteriors, prefixes: _Prefixes, blank: int, eos: int) -> Tensor:
    """Log-probabilities by CTC (N, V) of what follows each prefix."""
    totals = posteriors.of_all(prefixes.owner, prefixes.either[:, :-1])
    totals.scatter_(1, prefixes.last.unsqueeze(1), prefixes.again.unsqueeze(1))
    totals[:, eos] = prefixes.either[:, -1]
    totals[:, blank] = NEVER
    return totals.sub_(prefixes.total.unsqueeze(1)).clamp_(max=0.0)
