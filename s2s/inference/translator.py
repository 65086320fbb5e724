"""The translator: lines in, translations out, in order, from one model directory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from s2s.checkpoint import LoadedLanguageModel
from s2s.config import DecodingConfig, parse
from s2s.data.batches import pad
from s2s.decoding import decode_batch, sample_encoded
from s2s.errors import UsageError
from s2s.group import Group
from s2s.inference.drawing import draws_of
from s2s.inference.fusion import fusion, with_weight
from s2s.inference.ranges import check_whole
from s2s.inference.reports import warn_of_cuts
from s2s.inference.results import Candidate, Tokens, Translation
from s2s.inference.runtime import Ready, in_halves, tokenizers_of
from s2s.inference.searching import Searching
from s2s.inference.segments import Segment, length_batches, read_segment
from s2s.inference.sharding import deal
from s2s.search import Hypothesis, SamplingOptions
from s2s.text.lines import one_line

Numbered = tuple[int, Segment]
"""The number of a line, from 1, and its segment."""


@dataclass(frozen=True)
class TranslationOptions:
    """How to translate; None means as the model's own record says.

    `n_best` hypotheses are kept per segment; `max_length` bounds a segment in tokens on either side; `batch_tokens`
    bounds the source tokens, padding included, that are searched at once. With `sampling`, the `n_best` hypotheses of a
    segment are drawn, not searched; they are a function of `seed` (None: 1) and the segment's number.
    """

    beam_size: int | None = None
    n_best: int = 1
    length_penalty: float | None = None
    max_length: int | None = None
    batch_tokens: int = 2048
    lm_weight: float | None = None
    sampling: SamplingOptions | None = None
    seed: int | None = None


class Translator(Searching):
    """A model that translates. One line of text is one segment; an empty one stays empty."""

    def __init__(self, loaded: Ready, lm: LoadedLanguageModel | None = None) -> None:
        super().__init__(loaded, lm)
        self._tokenizers = tokenizers_of(loaded)

    @property
    def languages(self) -> tuple[str, str]:
        """The codes of source and target."""
        return self._tokenizers.languages

    def translate(
        self,
        lines: Iterable[str],
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        length_penalty: float | None = None,
        max_length: int | None = None,
        batch_tokens: int = TranslationOptions.batch_tokens,
        lm_weight: float | None = None,
        sampling: SamplingOptions | None = None,
        seed: int | None = None,
    ) -> list[Translation]:
        """One translation per line, in order; warns when lines were too long and lost their end.

        UsageError: an option is out of its range or has no effect, or `lines` is one string and no list.
        """
        if isinstance(lines, str):
            raise UsageError("translate takes a list of lines, not one string: write translate([line]).")
        options = TranslationOptions(
            beam_size, n_best, length_penalty, max_length, batch_tokens, lm_weight, sampling, seed
        )
        translations = list(self.stream([list(lines)], options))
        warn_of_cuts(sum(translation.cut for translation in translations), self.settle(options).max_length)
        return translations

    def stream(
        self, windows: Iterable[Sequence[str]], options: TranslationOptions, group: Group | None = None
    ) -> Iterator[Translation]:
        """The translations of all lines, in order, each window as soon as it is there; ids count from 1.

        Within a window, segments of like length are searched together. In a group of processes all must call this; each
        translates its share, and the first yields all.
        """
        decoding = self.settle(options)
        if group is not None and group.size > 1:
            if options.sampling is not None:
                raise UsageError("What is drawn depends on the number of its line: sample with one process.")
            found = deal(windows, lambda share: self._window(share, 1, decoding, options), group)
            yield from (replace(one, id=number) for number, one in enumerate(found, start=1))
            return
        first = 1
        for window in windows:
            yield from self._window(window, first, decoding, options)
            first += len(window)

    def settle(self, options: TranslationOptions) -> DecodingConfig:
        """The options with the model's own where there is none.

        UsageError names one that is out of its range or has no effect.
        """
        own = self.decoding
        settled = {
            name: getattr(own, name) if getattr(options, name) is None else getattr(options, name)
            for name in ("beam_size", "length_penalty", "max_length", "lm_weight")
        }
        decoding = with_weight(parse(DecodingConfig, settled, "how to translate"), options.lm_weight, self._lm)
        for name in ("n_best", "batch_tokens"):
            check_whole(name, getattr(options, name))
        if options.sampling is not None:
            self._check_sampling(options)
        elif options.seed is not None:
            raise UsageError("A seed has no effect without sampling: give sampling=SamplingOptions(), or leave it out.")
        elif options.n_best > decoding.beam_size:
            raise UsageError(
                f"A beam of {decoding.beam_size} cannot give {options.n_best} translations. Raise the beam size."
            )
        return decoding

    def _check_sampling(self, options: TranslationOptions) -> None:
        """UsageError names what has no effect on samples, or is out of its range."""
        if not isinstance(options.sampling, SamplingOptions):
            raise UsageError(f"sampling takes SamplingOptions (it is {options.sampling!r}): write SamplingOptions().")
        if options.seed is not None:
            check_whole("seed", options.seed, least=0)
        if options.beam_size is not None:
            raise UsageError("A beam size has no effect on samples, which are drawn one token after the other.")
        if self._lm is not None:
            raise UsageError("A language model (lm) takes part in searches only: leave it out, or do not sample.")

    def _window(
        self, lines: Sequence[str], first: int, decoding: DecodingConfig, options: TranslationOptions
    ) -> Iterator[Translation]:
        """The translations of one window, each once all before it are done."""
        segments = [read_segment(line, self._tokenizers, decoding.max_length) for line in lines]
        found: dict[int, list[Hypothesis]] = {n: [] for n, segment in enumerate(segments) if not segment.ids}
        done = 0
        for batch in [*length_batches([len(segment.ids) for segment in segments], options.batch_tokens), []]:
            if batch:
                numbered = [(first + n, segments[n]) for n in batch]
                found.update(zip(batch, self._search(numbered, decoding, options), strict=True))
            while done in found:
                yield self._translation(first + done, lines[done], segments[done], found.pop(done))
                done += 1

    def _search(
        self, segments: list[Numbered], decoding: DecodingConfig, options: TranslationOptions
    ) -> list[list[Hypothesis]]:
        return in_halves(
            lambda some: self._search_at_once(some, decoding, options), segments, "lower the beam size or max_length"
        )

    def _search_at_once(
        self, segments: Sequence[Numbered], decoding: DecodingConfig, options: TranslationOptions
    ) -> list[list[Hypothesis]]:
        source, lengths = (part.to(self._model.device) for part in pad([segment.ids for _, segment in segments]))
        limits = self._tokenizers.longest_targets(lengths)
        if options.sampling is None:
            beside = fusion(decoding, self._lm)
            return decode_batch(self._model, source, lengths, limits, decoding, options.n_best, beside)
        limits = limits.clamp(max=decoding.max_length)
        draws = _draws([number for number, _ in segments], limits.tolist(), options).to(limits.device)
        never = torch.tensor([self._tokenizers.target.never(one.masks) for _, one in segments], device=limits.device)
        encoded = self._model.read(source, lengths)
        return sample_encoded(self._model, encoded, limits, draws, options.sampling, decoding.length_penalty, never)

    def _translation(self, number: int, line: str, segment: Segment, found: Sequence[Hypothesis]) -> Translation:
        """The result for one line; a line without ids has found nothing, and its translation is empty for certain."""
        tokenizers = self._tokenizers
        source = tuple(tokenizers.source.pieces(segment.ids))
        if not found:
            return Translation(number, line, "", 0.0, Tokens(source, ()), (), (Candidate("", 0.0),), segment.cut)
        n_best = tuple(
            Candidate(one_line(tokenizers.decode_target(hypothesis.tokens, segment.masks)), hypothesis.score)
            for hypothesis in found
        )
        best = found[0]
        return Translation(
            number,
            line,
            n_best[0].text,
            n_best[0].score,
            Tokens(source, tuple(tokenizers.target.pieces(best.tokens))),
            tuple(best.alignment),
            n_best,
            segment.cut,
        )


def _draws(numbers: Sequence[int], limits: Sequence[int], options: TranslationOptions) -> Tensor:
    """Random numbers (B, n, T) for segments of these numbers and limits."""
    counts = range(1, options.n_best + 1)
    seed = 1 if options.seed is None else options.seed
    rows = [draws_of(seed, line, n, limit) for line, limit in zip(numbers, limits, strict=True) for n in counts]
    return pad_sequence(rows, batch_first=True).view(len(numbers), options.n_best, -1)
