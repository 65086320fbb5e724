"""A tiny recurrent model of token sequences, slow searches over it that are plain enough to be believed, posteriors."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from s2s.search import Hypothesis, SearchOptions, search

PAD, BOS, EOS = 0, 1, 2


@dataclass(frozen=True)
class ToyState:
    """Hidden vectors (N, H) and what the model looked at last (N, S)."""

    hidden: Tensor
    attention: Tensor | None = None

    def reorder(self, index: Tensor) -> "ToyState":
        """See `s2s.search.State`."""
        return ToyState(self.hidden[index], None if self.attention is None else self.attention[index])


class Toy:
    """Random weights: the next token depends on all before it, and each segment starts from a vector of its own."""

    def __init__(self, vocabulary: int, seed: int, width: int = 8, ending: float = 0.0) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.embedding = torch.randn(vocabulary, width, generator=draw)
        self.recurrent = torch.randn(width, width, generator=draw) / width**0.5
        self.output = torch.randn(width, vocabulary, generator=draw)
        self.bias = torch.zeros(vocabulary)
        self.bias[EOS] = ending
        self.starts = torch.randn(16, width, generator=draw)
        self.rows: list[int] = []

    def start(self, segments: Sequence[int]) -> ToyState:
        """The state before the first step of the given segments."""
        return ToyState(self.starts[list(segments)])

    def step(self, state: ToyState, tokens: Tensor) -> tuple[Tensor, ToyState]:
        """See `s2s.search.Step`; keeps count of the rows."""
        self.rows.append(len(tokens))
        hidden = torch.tanh(state.hidden @ self.recurrent + self.embedding[tokens])
        state = replace(state, hidden=hidden, attention=torch.softmax(hidden[:, :5] * 3, dim=1))
        return torch.log_softmax(hidden @ self.output + self.bias, dim=1), state

    def log_probs(self, segment: int, tokens: Sequence[int]) -> list[float]:
        """The log-probability of each of the tokens, all of them before it being given."""
        state, found = self.start([segment]), []
        for before, token in zip([BOS, *tokens], tokens, strict=False):
            row, state = self.step(state, torch.tensor([before]))
            found.append(row[0, token].item())
        return found

    def alignment(self, segment: int, tokens: Sequence[int]) -> list[int]:
        """Where the model looked when it gave each of the tokens."""
        state, found = self.start([segment]), []
        for before in [BOS, *tokens][: len(tokens)]:
            _, state = self.step(state, torch.tensor([before]))
            assert state.attention is not None
            found.append(int(state.attention[0].argmax()))
        return found


def run(toy: Toy, segments: Sequence[int], limits: Sequence[int], options: SearchOptions) -> list[list[Hypothesis]]:
    """The search under test."""
    return search(toy.step, toy.start(segments), torch.tensor(limits), options, BOS, EOS, never=(PAD, BOS))


def enumerate_all(toy: Toy, segment: int, limit: int, penalty: float) -> list[tuple[float, list[int]]]:
    """Score and tokens of every sequence of at most `limit` tokens, best first."""
    words = [token for token in range(len(toy.embedding)) if token not in (PAD, BOS, EOS)]
    found = []
    for length in range(limit + 1):
        for tokens in itertools.product(words, repeat=length):
            log_probs = toy.log_probs(segment, [*tokens, EOS])
            found.append((sum(log_probs) / len(log_probs) ** penalty, list(tokens)))
    return sorted(found, reverse=True)


def greedy(toy: Toy, segment: int, limit: int) -> tuple[list[int], bool]:
    """The likeliest token, again and again; and whether EOS came."""
    state, tokens = toy.start([segment]), [BOS]
    while True:
        row, state = toy.step(state, torch.tensor(tokens[-1:]))
        row[:, [PAD, BOS]] = -torch.inf
        best = int(row[0].argmax())
        if best == EOS or len(tokens) > limit:
            return tokens[1:], best == EOS
        tokens.append(best)


def patient_beam(toy: Toy, segment: int, limit: int, options: SearchOptions) -> list[tuple[float, list[int]]]:
    """Score and tokens of what a shrinking beam finishes when nothing stops it before the bound, best first."""
    opened, finished = [(0.0, [BOS], toy.start([segment]))], []
    for length in range(limit + 1):
        found = []
        for total, tokens, before in opened:
            row, state = toy.step(before, torch.tensor(tokens[-1:]))
            found += [
                (total + value, [*tokens, token], state)
                for token, value in enumerate(row[0].tolist())
                if token not in (PAD, BOS)
            ]
        found.sort(key=lambda one: -one[0])
        chosen = found[: options.beam_size - len(finished)]
        ends = [(total / (length + 1) ** options.length_penalty, tokens) for total, tokens, _ in chosen]
        finished += [(score, tokens[1:-1]) for score, tokens in ends if tokens[-1] == EOS]
        opened = [one for one in chosen if one[1][-1] != EOS]
    return sorted(finished, key=lambda one: -one[0])


def posteriors(lengths: Sequence[int], vocabulary: int, seed: int, spread: float = 2.0) -> Tensor:
    """CTC's log-probabilities (B, S, V); beyond a segment's end there is garbage."""
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(lengths), max(lengths), vocabulary, generator=draw) * spread
    return torch.log_softmax(logits, dim=2)


def likelihood(log_probs: Tensor, labels: Sequence[int]) -> float:
    """What torch's loss says of labels, given one segment's log-probabilities (S, V)."""
    loss = functional.ctc_loss(
        log_probs.double().unsqueeze(1),
        torch.tensor([labels], dtype=torch.long),
        torch.tensor([len(log_probs)]),
        torch.tensor([len(labels)]),
        blank=PAD,
        reduction="sum",
    )
    return -loss.item()
