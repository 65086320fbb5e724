"""The transcriber: recordings in, transcripts out, in order, from one model directory."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor

from s2s.audio.checking import is_silent
from s2s.audio.features import Statistics, StatisticsSum
from s2s.audio.reading import Source
from s2s.audio.sources import source_name
from s2s.audio.windows import Window, cut_windows, windows
from s2s.checkpoint import LoadedLanguageModel
from s2s.config import DecodingConfig, parse
from s2s.data.batches import fill, pad, round_up
from s2s.data.speech import FRAMES_MULTIPLE
from s2s.data.speech_codec import SpeechCodec
from s2s.decoding import decode_encoded
from s2s.errors import AudioError, ConfigError, DataError, UsageError
from s2s.group import Group
from s2s.inference.ensemble import members_of
from s2s.inference.fusion import fusion, with_weight
from s2s.inference.results import Candidate
from s2s.inference.runtime import Ready, in_halves
from s2s.inference.searching import Searching
from s2s.inference.sharding import batched, deal
from s2s.inference.transcripts import Passage, Transcript, Word
from s2s.inference.words import align_words, spread_words
from s2s.search import Hypothesis
from s2s.text.lines import one_line

MIN_WINDOW, MAX_WINDOW = 1.0, 3600.0
"""Seconds; in less there is hardly a word, and more fills the memory."""


DEALT = 64
"""Recordings that each of several processes transcribes before their transcripts are put together."""


@dataclass(frozen=True)
class TranscriptionOptions:
    """How to transcribe; None means as the model's own record says.

    `n_best` hypotheses are kept of each passage; `window` bounds a passage in seconds, and is by default as long as
    what the model was trained on; `batch_frames` bounds the frames, padding included, that are searched at once.
    `speaker` are statistics of the one who speaks in all recordings, see `Transcriber.listen`.
    """

    beam_size: int | None = None
    n_best: int = 1
    length_penalty: float | None = None
    ctc_weight: float | None = None
    window: float | None = None
    batch_frames: int = 20_000
    speaker: Statistics | None = None
    lm_weight: float | None = None


@dataclass
class _Open:
    """A recording whose windows are still being read or searched; `waiting` counts those without a passage.

    `speaker` are the statistics of who speaks, if they are known.
    """

    name: str
    speaker: Statistics | None = None
    seconds: float = 0.0
    passages: list[Passage] = field(default_factory=list)
    waiting: int = 0
    read: bool = False
    problem: str | None = None

    def transcript(self, number: int) -> Transcript:
        """What became of it."""
        passages = tuple(sorted(self.passages, key=lambda passage: passage.start))
        return Transcript(Path(self.name).stem or str(number), self.name, self.seconds, passages, self.problem)


@dataclass(frozen=True)
class _Task:
    """A window of a recording that waits for its text; its features are None where there is nothing to hear."""

    recording: _Open
    start: float
    end: float
    features: Tensor | None

    @property
    def frames(self) -> int:
        """What it costs of the budget."""
        return 0 if self.features is None else round_up(len(self.features), FRAMES_MULTIPLE)


class Transcriber(Searching):
    """A model that transcribes."""

    def __init__(self, loaded: Ready, lm: LoadedLanguageModel | None = None) -> None:
        if not isinstance(loaded.codec, SpeechCodec):
            raise UsageError(f"{loaded.folder} reads text: use `s2s translate`.")
        super().__init__(loaded, lm)
        self._codec = loaded.codec
        self._without_ctc = [member.folder for member in members_of(loaded) if not member.config.ctc]

    @property
    def language(self) -> str:
        """The code of the language that is spoken."""
        return self._codec.language

    @property
    def aligns(self) -> bool:
        """Whether words come with their times, for which CTC is needed."""
        return not self._without_ctc

    def transcribe(
        self,
        audio: Source | str,
        *,
        beam_size: int | None = None,
        n_best: int = 1,
        length_penalty: float | None = None,
        ctc_weight: float | None = None,
        window: float | None = None,
        speaker: Statistics | None = None,
        lm_weight: float | None = None,
    ) -> Transcript:
        """The transcript of one recording: a path, or a binary stream of a file's bytes.

        `speaker` is what `listen` found in more recordings of who speaks.

        AudioError: it cannot be read to its end. UsageError: an option is out of its range, or `audio` is neither.
        """
        if not isinstance(audio, str | Path) and not hasattr(audio, "read"):
            raise UsageError(
                f"transcribe takes one recording, a path or a binary stream, and not {type(audio).__name__}: call it "
                "for each file, and write samples to a WAV file first (soundfile.write)."
            )
        options = TranscriptionOptions(
            beam_size, n_best, length_penalty, ctc_weight, window, speaker=speaker, lm_weight=lm_weight
        )
        transcript = next(self.stream([Path(audio) if isinstance(audio, str) else audio], options))
        if transcript.problem is not None:
            raise AudioError(transcript.problem)
        return transcript

    def stream(
        self, recordings: Iterable[Source], options: TranscriptionOptions, group: Group | None = None
    ) -> Iterator[Transcript]:
        """The transcripts of all recordings, in order. What cannot be read has a `problem`.

        In a group of processes all must call this, with paths; each transcribes its share, and the first yields all.
        """
        if group is not None and group.size > 1:
            several = batched(recordings, DEALT * group.size)
            yield from deal(several, lambda share: self.stream(share, options), group)
            return
        rate, longest = self._codec.settings.rate, options.window or self._codec.longest
        opened = ((_Open(source_name(one), options.speaker), windows(one, rate, longest)) for one in recordings)
        yield from self._stream(opened, options)

    def stream_samples(
        self, recordings: Iterable[tuple[Tensor, Statistics | None]], options: TranscriptionOptions
    ) -> Iterator[Transcript]:
        """The same for samples (N,) in memory, which have the rate of the model's features, and their speakers'."""
        rate, longest = self._codec.settings.rate, options.window or self._codec.longest
        return self._stream(((_Open("", who), cut_windows([one], rate, longest)) for one, who in recordings), options)

    def listen(self, recordings: Iterable[Source]) -> Statistics:
        """The statistics of the one who speaks in all recordings, which make features independent of the voice.

        What cannot be read is left out. UsageError: the model normalises otherwise. DataError: nothing can be heard.
        """
        if not self._codec.by_speaker:
            raise UsageError(
                f"{self._loaded.folder} knows no speakers: its data was not prepared with --normalisation speaker."
            )
        sums = StatisticsSum()
        for recording in recordings:
            with suppress(AudioError):
                for window in windows(recording, self._codec.settings.rate, self._codec.longest):
                    if not is_silent(window.samples):
                        sums.add(self._codec.filter_bank(window.samples))
        if not sums.frames:
            raise DataError("Nothing can be heard in any of the recordings, so that the speaker remains unknown.")
        return sums.result()

    def _stream(
        self, recordings: Iterable[tuple[_Open, Iterator[Window]]], options: TranscriptionOptions
    ) -> Iterator[Transcript]:
        """Windows of several recordings are searched together, as soon as they fill a batch."""
        decoding = self.settle(options)
        queue: deque[_Open] = deque()
        tasks: list[_Task] = []
        done = 0
        for opened, found in recordings:
            queue.append(opened)
            for task in self._read(found, opened):
                tasks.append(task)
                if sum(waiting.frames for waiting in tasks) >= options.batch_frames:
                    self._search(tasks, decoding, options)
                    tasks = []
            while queue and queue[0].read and not queue[0].waiting:
                done += 1
                yield queue.popleft().transcript(done)
        self._search(tasks, decoding, options)
        for number, left in enumerate(queue, start=done + 1):
            yield left.transcript(number)

    def _read(self, found: Iterator[Window], opened: _Open) -> Iterator[_Task]:
        """The windows of a recording; a problem with it ends them and is kept."""
        try:
            for window in found:
                opened.seconds = window.end
                opened.waiting += 1
                silent = is_silent(window.samples)
                features = None if silent else self._codec.features(window.samples, speaker=opened.speaker)
                yield _Task(opened, window.start, opened.seconds, features)
        except AudioError as error:
            opened.problem = str(error)
        opened.read = True

    def settle(self, options: TranscriptionOptions) -> DecodingConfig:
        """The options with the model's own where there is none; UsageError names one that is out of its range."""
        own = self.decoding
        settled = {
            name: getattr(own, name) if getattr(options, name) is None else getattr(options, name)
            for name in ("beam_size", "length_penalty", "ctc_weight", "lm_weight")
        }
        decoding = parse(DecodingConfig, settled | {"max_length": own.max_length}, "how to transcribe")
        decoding = with_weight(decoding, options.lm_weight, self._lm)
        if decoding.ctc_weight and self._without_ctc:
            self._refuse_ctc(decoding.ctc_weight)
        if options.n_best > decoding.beam_size:
            raise UsageError(f"A beam of {decoding.beam_size} cannot give {options.n_best} texts. Raise the beam size.")
        if options.window is not None and not MIN_WINDOW <= options.window <= MAX_WINDOW:
            raise UsageError(
                f"A window must have {MIN_WINDOW:g} to {MAX_WINDOW:g} seconds (it has {options.window:g})."
            )
        return decoding

    def _refuse_ctc(self, weight: float) -> NoReturn:
        """ConfigError names what has no CTC; CTC that other models of an ensemble have is of no use alone."""
        without = " and ".join(map(str, self._without_ctc))
        if len(members_of(self._loaded)) == 1:
            raise ConfigError(f"ctc_weight has no effect: {without} has no CTC. Leave it out.")
        raise ConfigError(
            f"A ctc_weight of {weight:g} needs CTC in each model of an ensemble, but there is none in {without}. "
            "Give 0 (--ctc-weight 0), or leave such models out."
        )

    def _search(self, tasks: Sequence[_Task], decoding: DecodingConfig, options: TranscriptionOptions) -> None:
        """Find the passages of all tasks, those of like length together."""
        costs = [task.frames for task in tasks]
        for chosen in fill(sorted(range(len(tasks)), key=costs.__getitem__), costs, options.batch_frames):
            heard = [tasks[n] for n in chosen if tasks[n].features is not None]
            passages = in_halves(
                lambda some: list(self._passages(some, decoding, options.n_best)), heard, "lower the window or the beam"
            )
            for task, passage in zip(heard, passages, strict=True):
                task.recording.passages.append(passage)
            for n in chosen:
                task = tasks[n]
                if task.features is None:
                    silence = (Candidate("", 0.0),)
                    task.recording.passages.append(Passage(task.start, task.end, "", 0.0, (), silence))
                task.recording.waiting -= 1

    @torch.inference_mode()
    def _passages(self, tasks: Sequence[_Task], decoding: DecodingConfig, n_best: int) -> Iterator[Passage]:
        if not tasks:
            return
        sources = [task.features for task in tasks if task.features is not None]
        source, lengths = (part.to(self._model.device) for part in pad(sources, multiple=FRAMES_MULTIPLE))
        encoded = self._model.read(source, lengths)
        limits = self._codec.longest_targets(lengths)
        beside, guarded = fusion(decoding, self._lm), not decoding.ctc_weight
        found = decode_encoded(self._model, encoded, limits, decoding, n_best, beside, guarded)
        log_probs = self._model.ctc_log_probs(encoded).cpu() if self.aligns else None
        for row, (task, hypotheses) in enumerate(zip(tasks, found, strict=True)):
            words = () if log_probs is None else self._words(task, hypotheses[0], log_probs[row], encoded.mask[row])
            n_best_texts = tuple(Candidate(self._text(one), one.score) for one in hypotheses)
            best = n_best_texts[0]
            cut = not hypotheses[0].finished
            yield Passage(task.start, task.end, best.text, best.score, words, n_best_texts, cut)

    def _text(self, hypothesis: Hypothesis) -> str:
        return " ".join(one_line(self._codec.decode(hypothesis.tokens)).split())

    def _words(self, task: _Task, hypothesis: Hypothesis, log_probs: Tensor, mask: Tensor) -> tuple[Word, ...]:
        """The words of a hypothesis with their times, which are guessed where CTC has no room for them."""
        steps = int(mask.sum())
        step_seconds = (task.end - task.start) / steps
        aligned = align_words(log_probs[:steps], hypothesis.tokens, self._codec.target, task.start, step_seconds)
        return aligned or spread_words(self._text(hypothesis), task.start, task.end)
