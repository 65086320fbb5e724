"""A language model in use: texts that it goes on with, and the probability that it gives to texts."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch
from torch import Tensor

from s2s.checkpoint import LoadedLanguageModel
from s2s.data.batches import collate, pair_cost
from s2s.errors import UsageError
from s2s.inference.drawing import draws_of
from s2s.inference.ranges import check_texts, check_whole
from s2s.inference.results import LineScore, Sample
from s2s.inference.runtime import in_halves, make_language_model_ready
from s2s.inference.segments import length_batches
from s2s.language_model import LanguageState
from s2s.search import Hypothesis, SamplingOptions, sample
from s2s.text.lines import one_line
from s2s.text.placeholders import Masks
from s2s.text.vocabulary import BOS, EOS

BATCH = 64
"""Samples that are drawn side by side."""

CURE = "lower batch_tokens (--batch-tokens)"
"""Where the device's memory is too small."""

LONGEST = 100_000
"""Tokens that a sample may have."""


@dataclass(frozen=True)
class GenerationOptions:
    """How to write: `samples` of one prompt, of at most `max_length` tokens each, which end before one of `stop`."""

    samples: int = 1
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    seed: int = 1
    max_length: int = 256
    stop: tuple[str, ...] = ()


class TextGenerator:
    """A language model that writes and scores text, line by line."""

    def __init__(self, loaded: LoadedLanguageModel) -> None:
        self._loaded = loaded
        self._codec = loaded.codec
        self._model = loaded.model

    @classmethod
    def load(
        cls, path: Path | str, *, device: str = "cpu", precision: str = "float32", threads: int | None = None
    ) -> "TextGenerator":
        """The language model of a model directory or a run; `threads` holds for the whole process.

        UsageError: it is a model of something else, or see `s2s.inference.runtime.load_for_inference`.
        """
        return cls(make_language_model_ready(path, device, precision, threads, by_steps=False))

    @property
    def language(self) -> str:
        """The code of the language of its texts."""
        return self._codec.language

    @property
    def context(self) -> str:
        """What the next token depends on: `line` or `text`."""
        return self._loaded.shape.context

    @property
    def tokenizer_name(self) -> str:
        """The first digits of the SHA-256 of its vocabulary."""
        return hashlib.sha256(self._codec.target.model).hexdigest()[:8]

    def counted(self, line: str) -> str:
        """What of a line its log-probability is of: single spaces, and one character for each placeholder."""
        return " ".join(self._codec.masked(line)[0].split())

    def generate(
        self,
        prompt: str = "",
        *,
        samples: int = 1,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        seed: int = 1,
        max_length: int = 256,
        stop: Sequence[str] = (),
    ) -> list[Sample]:
        """Lines that begin with `prompt`, the same ones for the same seed; see `GenerationOptions`.

        UsageError: an option is out of its range.
        """
        if not isinstance(prompt, str):
            raise UsageError(f"prompt must be a text (it is {prompt!r}): leave it out to begin with nothing.")
        check_texts("stop", stop)
        options = GenerationOptions(samples, temperature, top_k, top_p, seed, max_length, tuple(stop))
        return list(self.stream(prompt, options))

    @torch.inference_mode()
    def stream(self, prompt: str, options: GenerationOptions) -> Iterator[Sample]:
        """The samples in their order, batch by batch."""
        chosen = _sampling(options)
        ids, masks = self._codec.encode_masked(prompt)
        state, last = self._after(ids)
        never = torch.tensor([self._codec.target.never(masks)], device=self._model.device)
        for first in range(0, options.samples, BATCH):
            numbers = range(first + 1, min(first + BATCH, options.samples) + 1)
            draws = torch.stack([draws_of(options.seed, number, 1, options.max_length) for number in numbers])
            rows = torch.zeros(len(numbers), dtype=torch.long, device=self._model.device)
            limits = torch.full_like(rows, options.max_length)
            begun = last.expand(len(numbers))
            step, device = self._model.step, self._model.device
            found = sample(step, state.reorder(rows), begun, limits, draws.to(device), chosen, 0.0, EOS, never[rows])
            for number, hypothesis in zip(numbers, found, strict=True):
                yield self._sample(number, ids, hypothesis, masks, options.stop)

    def _after(self, ids: list[int]) -> tuple[LanguageState, Tensor]:
        """The state after all but the last token of a line's beginning, and this token (1)."""
        tokens = torch.tensor([[BOS, *ids]], device=self._model.device)
        state = self._model.start(1)
        if ids:
            _, state = self._model.read(tokens[:, :-1], state)
        return state, tokens[:, -1]

    def _sample(self, number: int, ids: list[int], found: Hypothesis, masks: Masks, stop: tuple[str, ...]) -> Sample:
        prompt = self._codec.decode(ids, masks)
        text = one_line(self._codec.decode([*ids, *found.tokens], masks))
        ends = [place for mark in stop if (place := text.find(mark, len(prompt))) >= 0]
        text = text[: min(ends)] if ends else text
        pieces = tuple(self._codec.target.pieces(found.tokens)) + ("</s>",) * found.finished
        return Sample(number, text, found.log_prob, pieces, tuple(found.log_probs), found.finished)

    def score(self, lines: Iterable[str], *, batch_tokens: int = 2048) -> list[LineScore]:
        """The log-probability of each line with its end.

        UsageError: `lines` is one string, one of them is none, or `batch_tokens` is not 1 or more.
        """
        if isinstance(lines, str):
            raise UsageError("score takes a list of lines, not one string: write score([line]).")
        return list(self.stream_scores([list(lines)], batch_tokens))

    def stream_scores(self, windows: Iterable[Sequence[str]], batch_tokens: int) -> Iterator[LineScore]:
        """The scores of all lines, in order, each window as soon as it is there; ids count from 1.

        A model of running text reads the lines one after the other; of one that reads lines, those of like length are
        scored together. A line of more than `batch_tokens` tokens is read in windows of so many. S2SError: the device's
        memory is too small for a line.
        """
        check_whole("batch_tokens", batch_tokens)
        first = 1
        state = self._model.start(1)
        for window in windows:
            encoded = [self._codec.encode(line) for line in window]
            if self.context == "text":
                found, state = self._score_in_turn(encoded, state, batch_tokens)
            else:
                found = self._score_together(encoded, batch_tokens)
            for number, (line, ids, scores_of_line) in enumerate(zip(window, encoded, found, strict=True), start=first):
                pieces = (*self._codec.target.pieces(ids), "</s>")
                yield LineScore(number, line, sum(scores_of_line), pieces, tuple(scores_of_line))
            first += len(window)

    def _score_together(self, encoded: Sequence[list[int]], batch_tokens: int) -> list[list[float]]:
        def score(lines: list[list[int]]) -> list[list[float]]:
            batch = collate([([], ids) for ids in lines], range(len(lines))).to(self._model.device)
            told, _ = self._tell(batch.target, self._model.start(len(lines)), batch_tokens)
            return [row[: len(ids) + 1] for row, ids in zip(told, lines, strict=True)]

        found: dict[int, list[float]] = {}
        for chosen in length_batches([pair_cost(0, len(ids)) for ids in encoded], batch_tokens):
            scores = in_halves(score, [encoded[n] for n in chosen], CURE)
            found.update(zip(chosen, scores, strict=True))
        return [found[n] for n in range(len(encoded))]

    def _score_in_turn(
        self, encoded: Sequence[list[int]], state: LanguageState, batch_tokens: int
    ) -> tuple[list[list[float]], LanguageState]:
        """The lines as one running text, which goes on from `state`, and the state after it."""
        text = [token for ids in encoded for token in (*ids, EOS)]
        tokens = torch.tensor([[BOS, *text]], device=self._model.device)
        [(rows, after)] = in_halves(lambda _: [self._tell(tokens, state, batch_tokens)], [text], CURE)
        ends = list(accumulate(len(ids) + 1 for ids in encoded))
        return [rows[0][end - len(ids) - 1 : end] for end, ids in zip(ends, encoded, strict=True)], after

    @torch.inference_mode()
    def _tell(self, tokens: Tensor, state: LanguageState, batch_tokens: int) -> tuple[list[list[float]], LanguageState]:
        """Of rows of tokens (N, T + 1) the log-probabilities (N, T) of all but the first, and the state after them.

        What the vocabulary takes in memory is bounded: no more than `batch_tokens` are computed at once, or one a row.
        """
        told: list[list[float]] = [[] for _ in tokens]
        width = max(1, batch_tokens // len(tokens))
        for start in range(0, tokens.shape[1] - 1, width):
            window = tokens[:, start : start + width + 1]
            narrowed, state = self._model.read(window[:, :-1], state)
            log_probs = torch.log_softmax(self._model.logits(narrowed).float(), dim=2)
            chosen = log_probs.gather(2, window[:, 1:].unsqueeze(2)).squeeze(2)
            for row, values in zip(told, chosen.tolist(), strict=True):
                row.extend(values)
        return told, state


def _sampling(options: GenerationOptions) -> SamplingOptions:
    check_whole("samples", options.samples)
    check_whole("max_length", options.max_length, most=LONGEST)
    check_whole("seed", options.seed, least=0)
    if "" in options.stop:
        raise UsageError("A text to stop at must not be empty.")
    return SamplingOptions(options.temperature, options.top_k, options.top_p)
