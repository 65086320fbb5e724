"""One hypothesis for each segment: a token at each step, the likeliest or one that is drawn.

Greedy search finds what beam search with a beam of 1 finds, with a fraction of its bookkeeping.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from s2s.search.hypothesis import AnyState, Hypothesis, Step

NEVER = float("-inf")

Choose = Callable[[Tensor, Tensor, int], Tensor]
"""Log-probabilities (N, V) of what follows in segments (N) after so many tokens, to one token for each (N).

It may write -inf into them, for what must not come; nothing else.
"""


def greedy(
    step: Step[AnyState],
    state: AnyState,
    max_lengths: Tensor,
    length_penalty: float,
    bos: int,
    eos: int,
    never: Sequence[int],
) -> list[Hypothesis]:
    """One hypothesis of each segment, which takes the likeliest token at each step; see `s2s.search.search`."""
    first = torch.full_like(max_lengths, bos)
    return follow(step, state, first, max_lengths, length_penalty, eos, never, _likeliest)


def _likeliest(log_probs: Tensor, segments: Tensor, length: int) -> Tensor:
    return log_probs.argmax(1)


def follow(
    step: Step[AnyState],
    state: AnyState,
    tokens: Tensor,
    max_lengths: Tensor,
    length_penalty: float,
    eos: int,
    never: Sequence[int],
    choose: Choose,
) -> list[Hypothesis]:
    """One hypothesis of each segment, which begins after one of `tokens` (B) and takes what `choose` says."""
    device = max_lengths.device
    forbidden = torch.tensor(never, dtype=torch.long, device=device)
    segments = torch.arange(len(max_lengths), device=device)
    totals = torch.zeros(len(max_lengths), device=device)
    found = _Found(len(max_lengths))
    length = 0
    while len(segments):
        log_probs, state = step(state, tokens)
        log_probs = log_probs.index_fill_(1, forbidden, NEVER)
        tokens = choose(log_probs, segments, length)
        values = log_probs.gather(1, tokens.unsqueeze(1)).squeeze(1)
        says = values > NEVER  # a model that gives zeros or NaN to all has nothing to say
        ended = (tokens == eos) & says
        goes_on = says & ~ended & (max_lengths > length)
        before = totals / max(length, 1) ** length_penalty
        totals, length = totals + values, length + 1
        scores = torch.where(ended, totals / length**length_penalty, before)
        looked = None if state.attention is None else state.attention.argmax(1)
        found.add(segments, tokens, values, looked, ended, goes_on, scores)
        alive = goes_on.nonzero().squeeze(1)
        if len(alive) < len(segments):
            segments, tokens, totals, max_lengths = (part[alive] for part in (segments, tokens, totals, max_lengths))
            if len(alive):
                state = state.reorder(alive)
    return found.hypotheses()


class _Found:
    """What happened at each step to each segment that was still open; it is read when all is over."""

    def __init__(self, segments: int) -> None:
        self._segments = segments
        self._steps: list[tuple[Tensor | None, ...]] = []

    def add(self, *columns: Tensor | None) -> None:
        """Segments (N), tokens, their log-probabilities, alignment, whether they ended or go on, scores."""
        self._steps.append(columns)

    def hypotheses(self) -> list[Hypothesis]:
        """Those of all segments, in their order."""
        tokens: list[list[int]] = [[] for _ in range(self._segments)]
        log_probs: list[list[float]] = [[] for _ in range(self._segments)]
        alignments: list[list[int]] = [[] for _ in range(self._segments)]
        found: dict[int, Hypothesis] = {}
        for columns in self._steps:
            segments, *rest = ([] if column is None else column.tolist() for column in columns)
            aligned = bool(rest[2])
            rest[2] = rest[2] or segments
            for segment, token, log_prob, looked, ended, goes_on, score in zip(segments, *rest, strict=True):
                if ended or goes_on:
                    log_probs[segment].append(log_prob)
                if goes_on:
                    tokens[segment].append(token)
                    alignments[segment] += [looked] * aligned
                else:
                    parts = tokens[segment], log_probs[segment], score, alignments[segment]
                    found[segment] = Hypothesis(*parts, finished=ended)
        return [found[segment] for segment in range(self._segments)]
