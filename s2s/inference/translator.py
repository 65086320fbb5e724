"""The translator: lines in, translations out, in order, from one model directory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s2s.config import DecodingConfig, parse
from s2s.data.batches import pad
from s2s.decoding import Decodable, decode_batch
from s2s.errors import UsageError
from s2s.group import Group
from s2s.inference.reports import warn_of_cuts
from s2s.inference.results import Candidate, Tokens, Translation, one_line
from s2s.inference.runtime import Ready, in_halves, make_ready, tokenizers_of
from s2s.inference.segments import Segment, length_batches, read_segment
from s2s.inference.sharding import deal
from s2s.search import Hypothesis


@dataclass(frozen=True)
class TranslationOptions:
    """How to translate; None means as the model's own record says.

    `n_best` hypotheses are kept per segment; `max_length` bounds a segment in tokens on either side; `batch_tokens`
    bounds the source tokens, padding included, that are searched at once.
    """

    beam_size: int | None = None
    n_best: int = 1
    length_penalty: float | None = None
    max_length: int | None = None
    batch_tokens: int = 2048


class Translator:
    """A model that translates. One line of text is one segment; an empty one stays empty."""

    def __init__(self, loaded: Ready) -> None:
        self._loaded = loaded
        self._tokenizers = tokenizers_of(loaded)
        self._model: Decodable[Any, Any, Any] = loaded.model

    @classmethod
    def load(
        cls,
        path: Path | str,
        *,
        device: str = "cpu",
        precision: str = "float32",
        threads: int | None = None,
        ensemble_with: Sequence[Path | str] = (),
    ) -> "Translator":
        """The translator of a model directory, a run or an exported folder; `threads` holds for the whole process.

        With others it is that of their ensemble, whose search is by default as the first would search. See
        `s2s.inference.runtime.make_ready`.
        """
        return cls(make_ready(path, device, precision, threads, ensemble_with))

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
    ) -> list[Translation]:
        """One translation per line, in order; warns when lines were too long and lost their end.

        UsageError: an option is out of its range, or `lines` is one string and no list.
        """
        if isinstance(lines, str):
            raise UsageError("translate takes a list of lines, not one string: write translate([line]).")
        options = TranslationOptions(beam_size, n_best, length_penalty, max_length, batch_tokens)
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
            found = deal(windows, lambda share: self._window(share, 1, decoding, options), group)
            yield from (replace(one, id=number) for number, one in enumerate(found, start=1))
            return
        first = 1
        for window in windows:
            yield from self._window(window, first, decoding, options)
            first += len(window)

    def settle(self, options: TranslationOptions) -> DecodingConfig:
        """The options with the model's own where there is none; UsageError names one that is out of its range."""
        own = self._loaded.decoding
        settled = {
            name: getattr(own, name) if getattr(options, name) is None else getattr(options, name)
            for name in ("beam_size", "length_penalty", "max_length")
        }
        decoding = parse(DecodingConfig, settled, "how to translate")
        for name in ("n_best", "batch_tokens"):
            value = getattr(options, name)
            if not isinstance(value, int) or value < 1:
                raise UsageError(f"{name} must be a whole number of 1 or more (it is {value!r}).")
        if options.n_best > decoding.beam_size:
            raise UsageError(
                f"A beam of {decoding.beam_size} cannot give {options.n_best} translations. Raise the beam size."
            )
        return decoding

    def _window(
        self, lines: Sequence[str], first: int, decoding: DecodingConfig, options: TranslationOptions
    ) -> Iterator[Translation]:
        """The translations of one window, each once all before it are done."""
        segments = [read_segment(line, self._tokenizers, decoding.max_length) for line in lines]
        found: dict[int, list[Hypothesis]] = {n: [] for n, segment in enumerate(segments) if not segment.ids}
        done = 0
        for batch in [*length_batches([len(segment.ids) for segment in segments], options.batch_tokens), []]:
            if batch:
                found.update(
                    zip(batch, self._search([segments[n] for n in batch], decoding, options.n_best), strict=True)
                )
            while done in found:
                yield self._translation(first + done, lines[done], segments[done], found.pop(done))
                done += 1

    def _search(self, segments: list[Segment], decoding: DecodingConfig, n_best: int) -> list[list[Hypothesis]]:
        return in_halves(
            lambda some: self._search_at_once(some, decoding, n_best), segments, "lower the beam size or max_length"
        )

    def _search_at_once(
        self, segments: Sequence[Segment], decoding: DecodingConfig, n_best: int
    ) -> list[list[Hypothesis]]:
        source, lengths = (part.to(self._model.device) for part in pad([segment.ids for segment in segments]))
        limits = self._tokenizers.longest_targets(lengths)
        return decode_batch(self._model, source, lengths, limits, decoding, n_best)

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
