"""The settings of the search that give the best score on a part of prepared data, one after the other.

From the model's own settings on, each in turn takes the best of its candidates while the others stay, until none
changes any more: coordinate descent, which finds a good place with a few dozen searches and not always the best one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s2s.checkpoint.tuned import TunedSearch, identity
from s2s.data.prepared import MANIFEST, open_data
from s2s.errors import UsageError
from s2s.evaluation.scores import Score
from s2s.files import sha256
from s2s.inference import load
from s2s.inference.language import TextGenerator
from s2s.inference.parts import decode_part, score_part
from s2s.inference.transcriber import Transcriber
from s2s.inference.translator import Translator
from s2s.log import clock, say

Settings = dict[str, float | int]

CANDIDATES: dict[str, tuple[float | int, ...]] = {
    "lm_weight": (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5),
    "ctc_weight": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "length_penalty": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4),
    "beam_size": (1, 2, 3, 5, 8),
}
"""What is tried of each setting, in the order in which they are tuned."""

ROUNDS = 3
RANKS_NOTHING = ("length_penalty", 1)


@dataclass(frozen=True)
class TuningOptions:
    """What to tune on: a part of prepared data; `lm` is a language model that takes part.

    `beam_sizes` are all that is tried of the beam, of which a large one costs time; by default it is what `CANDIDATES`
    has, and the model's own.
    """

    data: Path
    part: str = "dev"
    lm: Path | None = None
    beam_sizes: tuple[int, ...] = ()
    device: str = "cpu"
    precision: str = "float32"
    threads: int | None = None


def tune(model: Path, options: TuningOptions) -> TunedSearch:
    """The best settings found for the model in a folder.

    ModelError, DataError: model or data cannot be read. UsageError: they do not go together, or the model is one of
    language alone.
    """
    found = load(model, device=options.device, precision=options.precision, threads=options.threads, lm=options.lm)
    if isinstance(found, TextGenerator):
        raise UsageError(f"{model} is a language model, which searches for nothing.")
    data = open_data(options.data)
    spoken = found.languages if isinstance(found, Translator) else (found.language,)
    if data.languages != spoken:
        raise UsageError(f"{model} is for {'-'.join(spoken)}, and {options.data} holds {'-'.join(data.languages)}.")
    own = found.decoding
    before: Settings = {"beam_size": own.beam_size, "length_penalty": own.length_penalty}
    if isinstance(found, Transcriber) and found.aligns:
        before["ctc_weight"] = own.ctc_weight or 0.0
    if options.lm is not None:
        before["lm_weight"] = own.lm_weight or 0.0
    candidates = {**CANDIDATES, "beam_size": options.beam_sizes or (*CANDIDATES["beam_size"], own.beam_size)}
    trials = _Trials(found, options, most=2 + ROUNDS * sum(len(candidates[name]) for name in before))
    best = {**before, "beam_size": min(candidates["beam_size"], key=lambda size: abs(size - own.beam_size))}
    for _ in range(ROUNDS):
        last = best
        for name in (name for name in candidates if name in before):
            best = trials.best(best, name, candidates[name])
        if best == last:
            break
    return TunedSearch(
        decoding=own.model_copy(update=best),
        metric=trials.score(best).metric,
        value=trials.score(best).value,
        before=trials.score(before).value,
        signature=trials.score(best).signature,
        part=options.part,
        data=sha256(options.data / MANIFEST),
        lm=None if found.lm is None else identity(found.lm),
    )


class _Trials:
    """The scores of settings that were tried."""

    def __init__(self, found: Translator | Transcriber, options: TuningOptions, most: int) -> None:
        self.found = found
        self.data = options.data
        self.segments = open_data(options.data).segments(options.part)
        self.references = self.segments.references()
        self.most = most
        self.scores: dict[tuple[tuple[str, float | int], ...], Score] = {}
        self.started = time.monotonic()

    def best(self, settings: Settings, name: str, candidates: Sequence[float | int]) -> Settings:
        """The settings with the best value of one of them; of equal ones what stands there, else the least."""
        values = [settings[name], *sorted({*candidates} - {settings[name]})]
        return min(({**settings, name: value} for value in values), key=lambda tried: _rank(self.score(tried)))

    def score(self, settings: Settings) -> Score:
        """The score of settings, which are tried once; a beam of 1 has nothing that a length penalty could rank."""
        counted = {name: value for name, value in settings.items() if (name, settings["beam_size"]) != RANKS_NOTHING}
        key = tuple(sorted(counted.items()))
        if key not in self.scores:
            texts = decode_part(self.found, self.segments, self.data, settings)
            self.scores[key] = score_part(self.found, texts, self.references)
            self._say(settings, self.scores[key])
        return self.scores[key]

    def _say(self, settings: Settings, score: Score) -> None:
        shown = ", ".join(f"{name} {value:g}" for name, value in settings.items())
        passed = time.monotonic() - self.started
        left = passed / len(self.scores) * (self.most - len(self.scores))
        say(f"{shown}: {score.metric} {score.value:.2f} (at most {clock(left)} left)")


def _rank(score: Score) -> float:
    """Less is better."""
    return score.value if score.metric == "WER" else -score.value
