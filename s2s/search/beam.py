"""Beam search over many segments at once; a beam of 1 is greedy search.

A beam that finishes a hypothesis goes on with one row less, so that the search ends after `beam_size` finished ones
(the shrinking beam of Bahdanau et al. 2015), or earlier when no open one can reach the `n_best` finished ones.
Rows that are finished leave the batch. The search waits for the device once a step: to learn which rows go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from s2s.search.hypothesis import AnyState, Hypothesis, SearchOptions, Step


@dataclass(frozen=True)
class _Rows:
    """Open hypotheses (N) in the order of their segments: segment, sum of log-probabilities, and history (N, t)."""

    segment: Tensor
    total: Tensor
    tokens: Tensor
    log_probs: Tensor
    alignment: Tensor

    def select(self, index: Tensor) -> "_Rows":
        return _Rows(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def extend(self, parents: Tensor, tokens: Tensor, log_probs: Tensor, alignment: Tensor | None) -> "_Rows":
        """The rows `parents`, each with one more token, its log-probability and the alignment (N) at its step."""
        old = self.select(parents)
        aligned = old.alignment if alignment is None else torch.cat([old.alignment, alignment[parents, None]], dim=1)
        return _Rows(
            old.segment,
            old.total + log_probs,
            torch.cat([old.tokens, tokens.unsqueeze(1)], dim=1),
            torch.cat([old.log_probs, log_probs.unsqueeze(1)], dim=1),
            aligned,
        )


def search(
    step: Step[AnyState],
    state: AnyState,
    max_lengths: Tensor,
    options: SearchOptions,
    bos: int,
    eos: int,
    never: Sequence[int],
) -> list[list[Hypothesis]]:
    """The `n_best` best hypotheses of each segment, best first.

    `state` has one row per segment; `max_lengths` (B) bounds the tokens of each, without EOS; `never` are tokens that
    must not be generated. Where the beam reaches the bound, its open hypotheses come after the finished ones.
    """
    finder = _Finder(max_lengths, options, eos, never)
    count = len(max_lengths)
    device = max_lengths.device
    empty = torch.zeros(count, 0, dtype=torch.long, device=device)
    rows = _Rows(torch.arange(count, device=device), torch.zeros(count, device=device), empty, empty.float(), empty)
    tokens = torch.full((count,), bos, dtype=torch.long, device=device)
    while len(rows.segment):
        log_probs, state = step(state, tokens)
        rows, parents = finder.advance(rows, log_probs, state.attention)
        if len(parents):
            state = state.reorder(parents)
        tokens = rows.tokens[:, -1]
    return finder.results()


class _Finder:
    """Chooses continuations and keeps what is finished."""

    def __init__(self, max_lengths: Tensor, options: SearchOptions, eos: int, never: Sequence[int]) -> None:
        self.max_lengths = max_lengths
        self.options = options
        self.eos = eos
        self.never = list(never)
        count = len(max_lengths)
        self.room = torch.full((count,), options.beam_size, device=max_lengths.device)
        self.best = torch.full((count, options.n_best), float("-inf"), device=max_lengths.device)
        self._kept: list[tuple[_Rows, Tensor, bool]] = []

    def advance(self, rows: _Rows, log_probs: Tensor, attention: Tensor | None) -> tuple[_Rows, Tensor]:
        """The open rows after one more token, and the row (before it) that each goes on from."""
        log_probs[:, self.never] = float("-inf")
        beam = self.options.beam_size
        values, tokens = log_probs.topk(min(beam, log_probs.shape[1]), dim=1)
        parents, tokens, values = self._choose(rows, values, tokens)
        aligned = None if attention is None else attention.argmax(1)
        chosen = rows.extend(parents, tokens, values, aligned)
        ended = tokens == self.eos
        full = (chosen.tokens.shape[1] >= self.max_lengths[chosen.segment]) & ~ended
        self._keep(chosen.select(ended.nonzero().squeeze(1)), finished=True)
        self._keep(chosen.select(full.nonzero().squeeze(1)), finished=False)
        alive = (~ended & ~full & ~self._hopeless(chosen, ended | full)).nonzero().squeeze(1)
        return chosen.select(alive), parents[alive]

    def _choose(self, rows: _Rows, values: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of the best continuations (N, K) of each row, those that fit into their segment's beam.

        Returns parent rows, tokens and log-probabilities, in the order of segments and best first within each.
        """
        width = values.shape[1]
        order = (rows.total.unsqueeze(1) + values).flatten().sort(descending=True, stable=True).indices
        segment = rows.segment.repeat_interleave(width)[order]
        by_segment = segment.sort(stable=True).indices
        order, segment = order[by_segment], segment[by_segment]
        starts = torch.searchsorted(segment, segment)
        rank = torch.arange(len(segment), device=segment.device) - starts
        possible = values.flatten()[order] > float("-inf")
        chosen = order[(rank < self.room[segment]) & possible]
        return chosen // width, tokens.flatten()[chosen], values.flatten()[chosen]

    def _keep(self, rows: _Rows, finished: bool) -> None:
        """Store hypotheses that do not go on; a finished one takes a place of its segment's beam for good."""
        if not len(rows.segment):
            return
        scores = rows.total / rows.log_probs.shape[1] ** self.options.length_penalty
        self._kept.append((rows, scores, finished))
        if finished:
            self.room -= torch.bincount(rows.segment, minlength=len(self.room))
            self._raise_best(rows.segment, scores)

    def _raise_best(self, segment: Tensor, scores: Tensor) -> None:
        """Enter new finished scores into the best of their segments."""
        order = scores.sort(descending=True, stable=True).indices
        order = order[segment[order].sort(stable=True).indices]
        segment, scores = segment[order], scores[order]
        rank = torch.arange(len(segment), device=segment.device) - torch.searchsorted(segment, segment)
        fresh = torch.full((len(self.room), self.options.beam_size), float("-inf"), device=scores.device)
        fresh[segment, rank] = scores
        self.best = torch.cat([self.best, fresh], dim=1).topk(self.options.n_best, dim=1).values

    def _hopeless(self, rows: _Rows, ended: Tensor) -> Tensor:
        """Rows whose segment is done: no open hypothesis of it can score above its `n_best` finished ones.

        A sum of log-probabilities only falls, so that no score can come above today's sum over the longest length.
        """
        longest = (self.max_lengths + 1).to(rows.total.dtype) ** self.options.length_penalty
        bound = torch.full_like(longest, float("-inf"))
        hope = torch.where(ended, float("-inf"), rows.total / longest[rows.segment])
        bound.scatter_reduce_(0, rows.segment, hope, "amax")
        return (bound <= self.best[:, -1])[rows.segment]

    def results(self) -> list[list[Hypothesis]]:
        """All that was kept, ranked."""
        found: list[list[Hypothesis]] = [[] for _ in range(len(self.room))]
        for rows, scores, finished in self._kept:
            columns = (rows.segment, rows.tokens, rows.log_probs, rows.alignment, scores)
            for segment, tokens, log_probs, alignment, score in zip(*(part.tolist() for part in columns), strict=True):
                end = len(tokens) - finished
                found[segment].append(Hypothesis(tokens[:end], log_probs, score, alignment[:end], finished))
        ranked = (sorted(one, key=lambda hypothesis: (not hypothesis.finished, -hypothesis.score)) for one in found)
        return [one[: self.options.n_best] for one in ranked]
