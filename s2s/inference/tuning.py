"""The settings of the search that give the best score on a part of prepared data, one after the other.

From the model's own settings on, each in turn takes the best of its candidates while the others stay, until none
changes any more: coordinate descent, which finds a good place with a few dozen searches and not always the best one.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from s2s.checkpoint.tuned import Comparison, TunedSearch, identity
from s2s.config import DecodingConfig
from s2s.data.prepared import MANIFEST, open_data
from s2s.errors import UsageError
from s2s.evaluation.scores import Score
from s2s.files import sha256
from s2s.inference import load
from s2s.inference.language import TextGenerator
from s2s.inference.parts import compare_part, decode_part, score_part
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
CHANCE = 0.05
"""The p-value from which on the gain of a language model is nothing."""

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

    A language model has the weight 0 unless its gain is beyond chance, see `_with_language_model`.

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
    trials = _Trials(found, options)
    best = trials.without_language_model()
    comparison = None
    if found.lm is not None:
        best, comparison = _with_language_model(trials, best, found.lm)
    score = trials.score(best)
    return TunedSearch(
        decoding=found.decoding_alone.model_copy(update=best),
        metric=score.metric,
        value=score.value,
        before=trials.score(_settings(found, found.decoding)).value,
        signature=score.signature,
        part=options.part,
        data=sha256(options.data / MANIFEST),
        lm=None if found.lm is None else identity(found.lm),
        comparison=comparison,
    )


def _settings(found: Translator | Transcriber, decoding: DecodingConfig) -> Settings:
    """What can be tuned of a search, as it is in `decoding`."""
    settings: Settings = {"beam_size": decoding.beam_size, "length_penalty": decoding.length_penalty}
    if isinstance(found, Transcriber) and found.aligns:
        settings["ctc_weight"] = decoding.ctc_weight or 0.0
    if found.lm is not None:
        settings["lm_weight"] = decoding.lm_weight or 0.0
    return settings


def _with_language_model(trials: "_Trials", without: Settings, lm: Path) -> tuple[Settings, Comparison | None]:
    """The best settings found from the best without it on, if what they gain is beyond chance; else those without.

    A language model costs time in each search, so that a gain that may be chance is not worth its weight.
    """
    best = trials.descend(without)
    metric, part = trials.score(best).metric, trials.options.part
    if not best["lm_weight"]:
        say(f"{lm} gets the weight 0: no other has a better {metric} on {part} ({trials.score(best).value:.2f}).")
        return best, None
    comparison = trials.compare(best, without)
    if comparison.p_value < CHANCE:
        return best, comparison
    say(
        f"{lm} gets the weight 0: {metric} on {part} is {comparison.value:.2f} with a weight of "
        f"{comparison.lm_weight:g}, and {comparison.without:.2f} without, which may be chance "
        f"(p = {comparison.p_value:.3f}); --lm-weight forces one."
    )
    return without, comparison


class _Trials:
    """The texts and scores of settings that were tried."""

    def __init__(self, found: Translator | Transcriber, options: TuningOptions) -> None:
        self.found = found
        self.options = options
        self.segments = open_data(options.data).segments(options.part)
        self.references = self.segments.references()
        self.start = _settings(found, found.decoding_alone)
        own = found.decoding_alone.beam_size
        sizes: tuple[float | int, ...] = options.beam_sizes or (*CANDIDATES["beam_size"], own)
        self.start["beam_size"] = min(sizes, key=lambda size: abs(size - own))
        tuned = {**CANDIDATES, "beam_size": sizes}
        self.candidates = {name: values for name, values in tuned.items() if name in self.start}
        counts = {name: len(values) for name, values in self.candidates.items()}
        descents = sum(counts.values()) * (1 if found.lm is None else 2) - counts.get("lm_weight", 0)
        self.most = 2 + ROUNDS * descents
        self.tried: dict[tuple[tuple[str, float | int], ...], tuple[list[str], Score]] = {}
        self.started = time.monotonic()

    def without_language_model(self) -> Settings:
        """The best settings found from the model's own on, with no weight for a language model."""
        return self.descend(self.start, but="lm_weight")

    def descend(self, settings: Settings, but: str | None = None) -> Settings:
        """The best settings found from these on; one may be left as it is."""
        for _ in range(ROUNDS):
            last = settings
            for name in self.candidates:
                if name != but:
                    settings = self._best(settings, name)
            if settings == last:
                break
        return settings

    def _best(self, settings: Settings, name: str) -> Settings:
        """The settings with the best value of one of them; of equal ones what stands there, else the least."""
        values = [settings[name], *sorted({*self.candidates[name]} - {settings[name]})]
        return min(({**settings, name: value} for value in values), key=lambda tried: _rank(self.score(tried)))

    def score(self, settings: Settings) -> Score:
        """The score of settings."""
        return self._try(settings)[1]

    def compare(self, best: Settings, without: Settings) -> Comparison:
        """What a language model brings: the best settings with it against the best without."""
        score = compare_part(self.found, self.segments, self._try(best)[0], self._try(without)[0])
        assert score.p_value is not None
        return Comparison(
            lm_weight=best["lm_weight"],
            value=score.value,
            without=self.score(without).value,
            p_value=score.p_value,
            signature=score.signature,
        )

    def _try(self, settings: Settings) -> tuple[list[str], Score]:
        """What settings find, which are tried once; a beam of 1 has nothing that a length penalty could rank."""
        counted = {name: value for name, value in settings.items() if (name, settings["beam_size"]) != RANKS_NOTHING}
        key = tuple(sorted(counted.items()))
        if key not in self.tried:
            texts = decode_part(self.found, self.segments, self.options.data, settings)
            self.tried[key] = texts, score_part(self.found, texts, self.references)
            self._say(settings, self.tried[key][1])
        return self.tried[key]

    def _say(self, settings: Settings, score: Score) -> None:
        shown = ", ".join(f"{name} {value:g}" for name, value in settings.items())
        passed = time.monotonic() - self.started
        left = passed / len(self.tried) * (self.most - len(self.tried))
        say(f"{shown}: {score.metric} {score.value:.2f} (at most {clock(left)} left)")


def _rank(score: Score) -> float:
    """Less is better."""
    return score.value if score.metric == "WER" else -score.value
