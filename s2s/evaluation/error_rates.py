"""Word, character and sentence error rates: signatures, bootstrap intervals, and paired comparison of systems.

The word error rate is (substitutions + deletions + insertions) / words of the references, over the whole test set; the
character error rate is the same of characters, those of the normalised words and of one space between each two; the
sentence error rate is the share of segments with an error in their words. All are in percent.

A reference that is empty after normalisation counts no words, and all words of its hypothesis as insertions.
"""

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from s2s.errors import DataError
from s2s.evaluation.bootstrap import SEED, Floats, interval, p_value, resample
from s2s.evaluation.edits import Integers, count_edits
from s2s.evaluation.normalisers import normaliser
from s2s.evaluation.scores import check_counts

FEWEST_SAMPLES = 100

_LEVELS = {"wer": "level:words", "cer": "level:characters|spaces:counted", "ser": "level:segments"}
_METRICS = tuple(_LEVELS)
_ONLY = "the hypotheses"

_Counts = Mapping[str, Integers]
"""By metric, for each segment (N, 4): substitutions, deletions, insertions, length of the reference."""


@dataclass(frozen=True)
class ErrorRateOptions:
    """`normaliser` is a name from `s2s.evaluation.normalisers`; `samples` is the number of bootstrap resamples."""

    normaliser: str = "none"
    samples: int = 1000

    def __post_init__(self) -> None:
        assert self.samples >= FEWEST_SAMPLES, "the bounds of 95 % need more"


@dataclass(frozen=True)
class Rate:
    """One error rate of one system in percent; its 95 % interval is from `lower` to `upper`, if computed.

    For the sentence error rate a wrong segment counts as one substitution, and the reference length is the number of
    segments. `p_value` belongs to the difference from the first of several systems.
    """

    metric: str
    value: float
    signature: str
    substitutions: int
    deletions: int
    insertions: int
    reference_length: int
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions


def wer_and_cer(
    hypotheses: Sequence[str], references: Sequence[str], options: ErrorRateOptions | None = None
) -> tuple[Rate, Rate]:
    """The two rates without intervals, as validation wants them; errors as in `compare_systems`."""
    options = options or ErrorRateOptions()
    counts = _count({_ONLY: hypotheses}, references, options)[_ONLY]
    return _rate("wer", counts, options), _rate("cer", counts, options)


def error_rates(
    hypotheses: Sequence[str],
    references: Sequence[str],
    options: ErrorRateOptions | None = None,
    speakers: Sequence[str | None] | None = None,
) -> dict[str, Rate]:
    """`wer`, `cer` and `ser` of one system with their intervals; see `compare_systems`."""
    return compare_systems({_ONLY: hypotheses}, references, options, speakers)[_ONLY]


def compare_systems(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[str],
    options: ErrorRateOptions | None = None,
    speakers: Sequence[str | None] | None = None,
) -> dict[str, dict[str, Rate]]:
    """`wer`, `cer` and `ser` of each system by name; all but the first are compared with the first.

    The bootstrap draws whole speakers when each segment has one and there are several, since the errors of one person
    go together, else segments; the signature says which. All systems meet the same draws. A draw that happens to hold
    no word of a reference is left out. A single segment gives neither intervals nor p-values.

    Raises DataError for unequal or zero numbers of segments and for insertions where no reference has a word,
    UsageError for an unknown normaliser.
    """
    options = options or ErrorRateOptions()
    counts = _count(systems, references, options)
    drawn, units = _units(speakers, len(references))
    if len(references) == 1:
        return {name: {metric: _rate(metric, counts[name], options) for metric in _METRICS} for name in systems}
    resampled = _resampled_rates(list(counts.values()), units, options.samples)
    rates: dict[str, dict[str, Rate]] = {name: {} for name in systems}
    for column, metric in enumerate(_METRICS):
        found = [_rate(metric, system, options, drawn) for system in counts.values()]
        for name, rate in zip(systems, _with_intervals(found, resampled[:, :, column]), strict=True):
            rates[name][metric] = rate
    return rates


def _count(
    systems: Mapping[str, Sequence[str]], references: Sequence[str], options: ErrorRateOptions
) -> dict[str, _Counts]:
    words = normaliser(options.normaliser)
    check_counts({**{name: len(lines) for name, lines in systems.items()}, "the references": len(references)})
    counts: dict[str, _Counts] = {}
    for name, lines in systems.items():
        edits = count_edits(lines, references, words)
        segments = np.zeros_like(edits.words)
        segments[:, 0] = edits.words[:, :3].any(axis=1)
        segments[:, 3] = 1
        if segments[:, 0].any() and not edits.words[:, 3].any():
            raise DataError(
                f"{name}: there is no error rate, since words were recognised ({edits.words[:, 2].sum():,}) but no "
                f"reference has any (normaliser: {options.normaliser}). Nothing was scored."
            )
        counts[name] = {"wer": edits.words, "cer": edits.characters, "ser": segments}
    return counts


def _units(speakers: Sequence[str | None] | None, segments: int) -> tuple[str, Integers]:
    """What the bootstrap draws, and the number of the unit that each segment belongs to."""
    if speakers is not None:
        check_counts({"the speakers": len(speakers), "the references": segments})
        numbers = {speaker: number for number, speaker in enumerate(dict.fromkeys(speakers))}
        if all(speakers) and len(numbers) > 1:
            return "speakers", np.array([numbers[speaker] for speaker in speakers])
    return "segments", np.arange(segments)


def _resampled_rates(systems: Sequence[_Counts], units: Integers, samples: int) -> Floats:
    """The rates (systems, samples, metrics) in percent; fewer samples where some had no word of a reference."""
    counts = np.array([[system[metric] for metric in _METRICS] for system in systems])
    errors, lengths = counts[..., :3].sum(axis=-1), counts[:1, ..., 3]
    columns = np.concatenate([errors, lengths]).reshape(-1, len(units)).T
    summed = np.zeros((units.max() + 1, columns.shape[1]), np.int64)
    np.add.at(summed, units, columns)
    sums = np.moveaxis(resample(summed, samples).reshape(samples, len(systems) + 1, len(_METRICS)), 1, 0)
    if lengths[0, 0].any():
        sums = sums[:, sums[-1, :, 0] > 0]
    rates: Floats = 100 * sums[:-1] / np.maximum(sums[-1], 1)
    return rates


def _with_intervals(rates: Sequence[Rate], resampled: Floats) -> Iterator[Rate]:
    """One metric of each system, from its resampled values (systems, samples)."""
    for number, (rate, values) in enumerate(zip(rates, resampled, strict=True)):
        lower, upper = interval(values)
        p = p_value(values - resampled[0], rate.value - rates[0].value) if number else None
        yield replace(rate, lower=lower, upper=upper, p_value=p)


def _rate(metric: str, counts: _Counts, options: ErrorRateOptions, drawn: str | None = None) -> Rate:
    """One rate over all segments, with the signature of what was counted and, if it was, drawn."""
    substitutions, deletions, insertions, length = (int(total) for total in counts[metric].sum(axis=0))
    errors = substitutions + deletions + insertions
    bootstrap = f"resampled:{drawn}|bs:{options.samples}|seed:{SEED}|" if drawn else ""
    version = importlib.metadata.version("jiwer")
    signature = f"{metric}|normaliser:{options.normaliser}|{_LEVELS[metric]}|{bootstrap}jiwer:{version}"
    return Rate(metric.upper(), 100 * errors / max(length, 1), signature, substitutions, deletions, insertions, length)
