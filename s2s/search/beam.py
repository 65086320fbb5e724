"""Beam search over many segments at once.

A beam that finishes a hypothesis goes on with one row less, so that the search ends after `beam_size` finished ones
(the shrinking beam of Bahdanau et al. 2015), or as soon as no open one can come among the `n_best` finished ones.
Rows that are finished leave the batch. The search itself waits for the device once a step: to learn which rows go on.

Each segment has `beam_size` cells, numbered through (B * K), which its best continuations fill in their order. Rows
(N) are the cells that the model is asked about.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from s2s.search.greedy import greedy
from s2s.search.history import Ends, History
from s2s.search.hypothesis import AnyState, Hypothesis, SearchOptions, Step
from s2s.search.top import top

NEVER = float("-inf")


def search(
    step: Step[AnyState],
    state: AnyState,
    max_lengths: Tensor,
    options: SearchOptions,
    bos: int,
    eos: int,
    never: Sequence[int],
) -> list[list[Hypothesis]]:
    """The `n_best` best hypotheses of each segment, best first, and at least one.

    `state` has one row per segment; `max_lengths` (B) bounds the tokens of each, without EOS; `never` are tokens that
    must not be generated. At the bound a hypothesis whose EOS does not win a place in the beam is left unfinished;
    unfinished ones come after the finished. Of equal hypotheses the one that was better a step before comes first.
    """
    if not len(max_lengths):
        return []
    if options.beam_size == 1:
        return [[found] for found in greedy(step, state, max_lengths, options.length_penalty, bos, eos, never)]
    beam = _Beam(max_lengths, options, eos, never)
    tokens = torch.full_like(max_lengths, bos)
    while len(tokens):
        log_probs, state = step(state, tokens)
        tokens, parents = beam.advance(log_probs, state.attention)
        if len(tokens):
            state = state.reorder(parents)
    return beam.hypotheses()


class _Beam:
    """The open hypotheses of all segments, and what they came from."""

    def __init__(self, max_lengths: Tensor, options: SearchOptions, eos: int, never: Sequence[int]) -> None:
        count, device = len(max_lengths), max_lengths.device
        self.options = options
        self.eos = eos
        self.never = torch.tensor(never, dtype=torch.long, device=device)
        self.max_lengths = max_lengths
        self.cells = torch.arange(count, device=device) * options.beam_size
        self.totals = torch.zeros(count, device=device)
        self.room = torch.full((count, 1), options.beam_size, device=device)
        self.finished = Ends.none(count, options.n_best, device)
        self.unfinished = Ends.none(count, options.n_best, device)
        self.history = History()
        self.aligned = False

    def advance(self, log_probs: Tensor, attention: Tensor | None) -> tuple[Tensor, Tensor]:
        """Take one more token per hypothesis: last tokens of the rows that go on (N'), and the rows they come from."""
        log_probs.index_fill_(1, self.never, NEVER)
        values, tokens = top(log_probs, self.options.beam_size)
        totals, rows, places = self._choose(values)
        tokens = tokens.take(places)
        self.aligned = attention is not None
        alignment = torch.zeros_like(rows) if attention is None else attention.argmax(1)[rows]
        ended = (tokens == self.eos) & (totals > NEVER)
        stuck = self._put_away_unfinished(values, rows, ended)
        self.history.add(*(part.flatten() for part in (tokens, values.take(places), alignment, self.cells[rows])))
        self._put_away_finished(totals, ended)
        alive = self._hopeful(totals.masked_fill(ended | stuck[rows], NEVER)).flatten().nonzero().squeeze(1)
        self.cells = alive
        self.totals = totals.take(alive)
        return tokens.take(alive), rows.take(alive)

    def _choose(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What enters the cells (B, K), best first, of the best log-probabilities of each row (N, W).

        Returns totals (-inf in empty cells), rows, and places in the flattened `values`.
        """
        width = values.shape[1]
        beam = self.options.beam_size
        totals = torch.where(values > NEVER, self.totals.unsqueeze(1) + values, NEVER)  # no NaN
        totals, order = self._in_cells(totals).flatten(1).sort(dim=1, descending=True, stable=True)
        totals, order = totals[:, :beam], order[:, :beam]
        count = torch.arange(len(values), device=values.device)
        row_of_cell = torch.zeros_like(self.room).expand(-1, beam).flatten().index_copy(0, self.cells, count)
        first = torch.arange(len(order), device=values.device).unsqueeze(1) * beam
        rows = row_of_cell[first + order // width]
        beyond = torch.arange(beam, device=values.device) >= self.room
        return totals.masked_fill(beyond, NEVER), rows, rows * width + order % width

    def _put_away_unfinished(self, values: Tensor, rows: Tensor, ended: Tensor) -> Tensor:
        """Which rows (N) cannot go on: they are at their bound, or the model gives them only zeros or NaN."""
        length = len(self.history)
        segments = self.cells // self.options.beam_size
        stuck = (self.max_lengths[segments] <= length) | ~(values > NEVER).any(1)
        ends = torch.zeros_like(self.totals).index_add_(0, rows.flatten(), ended.flatten().to(self.totals.dtype))
        scores = self.totals / max(length, 1) ** self.options.length_penalty
        scores = scores.masked_fill(~stuck | (ends > 0), NEVER)
        self.unfinished = self.unfinished.merge(self._in_cells(scores), length)
        return stuck

    def _put_away_finished(self, totals: Tensor, ended: Tensor) -> None:
        length = len(self.history)
        scores = totals / length**self.options.length_penalty
        self.finished = self.finished.merge(scores.masked_fill(~ended, NEVER), length)
        self.room = self.room - ended.sum(1, keepdim=True)

    def _hopeful(self, totals: Tensor) -> Tensor:
        """Which open cells (B, K) belong to a segment that can still find one of its `n_best`.

        As a total only falls, no score can come above the best total of today over the longest length to the penalty.
        """
        longest = (self.max_lengths + 1).to(totals.dtype) ** self.options.length_penalty
        open_end = totals.amax(1) / longest > self.finished.scores[:, -1]
        return (totals > NEVER) & open_end.unsqueeze(1)

    def _in_cells(self, rows: Tensor) -> Tensor:
        """Values of rows (N, ...) in the cells of their segments (B, K, ...), -inf in the others."""
        count = len(self.max_lengths)
        cells = rows.new_full((count * self.options.beam_size, *rows.shape[1:]), NEVER)
        return cells.index_copy_(0, self.cells, rows).view(count, -1, *rows.shape[1:])

    def hypotheses(self) -> list[list[Hypothesis]]:
        """The best of each segment: the finished ones, and in places left over the unfinished."""
        ends, finished = self.finished.then(self.unfinished)
        columns = (*self.history.read(ends), ends.scores, ends.steps, finished)
        return [
            [self._hypothesis(*place) for place in zip(*segment, strict=True) if place[3] > NEVER]
            for segment in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _hypothesis(
        self, tokens: list[int], log_probs: list[float], alignment: list[int], score: float, steps: int, finished: bool
    ) -> Hypothesis:
        end = steps - finished
        return Hypothesis(tokens[:end], log_probs[:steps], score, alignment[:end] if self.aligned else [], finished)
