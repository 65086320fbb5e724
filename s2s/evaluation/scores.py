"""BLEU, chrF and TER through sacrebleu: signatures, confidence intervals, and paired bootstrap between systems."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s2s.errors import DataError, UsageError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

TOKENIZERS = {"zh": "zh", "ja": "char", "ko": "char", "th": "char", "lo": "char", "km": "char", "my": "char"}
"""sacrebleu's tokenizer for target languages that need another than `13a`.

Japanese and Korean get characters, since the field's `ja-mecab` and `ko-mecab` need packages with dictionaries; ask for
those by name where they are installed. The signature always tells.
"""

METRICS = ("bleu", "chrf", "ter")

_SPLIT_CHARACTERS = {"zh", "char", "ja-mecab", "ko-mecab"}


@dataclass(frozen=True)
class ScoreOptions:
    """How to score. `tokenize` is a name of sacrebleu's; `samples` is the number of bootstrap resamples."""

    tokenize: str = "13a"
    lowercase: bool = False
    samples: int = 1000


@dataclass(frozen=True)
class Score:
    """One score of one system: with 95 % probability the true value lies within `value` +- `confidence`, if computed.

    `p_value` belongs to the difference from the first of several systems (Koehn 2004).
    """

    metric: str
    value: float
    signature: str
    confidence: float | None = None
    p_value: float | None = None


def tokenizer_for(language: str | None) -> str:
    """sacrebleu's tokenizer for a target language such as `de`, `zh-Hans` or `pt_BR`; `13a` when it is not known."""
    return TOKENIZERS.get((language or "").lower().replace("_", "-").split("-")[0], "13a")


def bleu(hypotheses: Sequence[str], references: Sequence[Sequence[str]], options: ScoreOptions | None = None) -> Score:
    """Corpus BLEU alone and without confidence, as validation wants it; errors as in `score_systems`."""
    _check_counts({"the hypotheses": hypotheses}, references)
    metric = _metrics(options or ScoreOptions())["bleu"]
    value = metric.corpus_score(hypotheses, references).score
    return Score("BLEU", float(value), metric.get_signature().format())


def score(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]], options: ScoreOptions | None = None
) -> dict[str, Score]:
    """`bleu`, `chrf` and `ter` of one system against one or more lists of references."""
    return score_systems({"the hypotheses": hypotheses}, references, options)["the hypotheses"]


def score_systems(
    systems: Mapping[str, Sequence[str]],
    references: Sequence[Sequence[str]],
    options: ScoreOptions | None = None,
    wanted: Collection[str] = METRICS,
) -> dict[str, dict[str, Score]]:
    """The `wanted` scores of each system by name; all but the first are compared with the first by paired bootstrap.

    Raises DataError for unequal or zero numbers of lines (sacrebleu would cut the longer in silence) and for a
    tokenizer that cannot be downloaded, UsageError for one that is not known or not installed.
    """
    from sacrebleu.significance import PairedTest, Result

    options = options or ScoreOptions()
    _check_counts(systems, references)
    metrics = {name: metric for name, metric in _metrics(options).items() if name in wanted}
    test = PairedTest(list(systems.items()), metrics, references, test_type="bs", n_samples=options.samples)
    signatures, results = test()
    scores: dict[str, dict[str, Score]] = {name: {} for name in systems}
    for key, metric in zip(metrics, test.metrics, strict=True):
        for name, result in zip(systems, results[metric], strict=True):
            assert isinstance(result, Result)
            assert result.ci is not None
            signature = signatures[metric].format()
            scores[name][key] = Score(metric, float(result.score), signature, float(result.ci), result.p_value)
    return scores


def check_counts(counts: Mapping[str, int]) -> None:
    """DataError unless all named texts have the same number of segments, which is not zero."""
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count:,}" for name, count in counts.items())
        raise DataError(f"The numbers of lines differ: {listed}. Nothing was scored.")
    if not any(counts.values()):
        raise DataError(f"There are no lines in {' and '.join(counts)}. Nothing was scored.")


def _check_counts(systems: Mapping[str, Sequence[str]], references: Sequence[Sequence[str]]) -> None:
    counts = {name: len(segments) for name, segments in systems.items()}
    check_counts(counts | {f"reference {number}": len(lines) for number, lines in enumerate(references, start=1)})


def _metrics(options: ScoreOptions) -> "dict[str, Metric]":
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    if options.tokenize not in BLEU.TOKENIZERS:
        known = ", ".join(BLEU.TOKENIZERS)
        raise UsageError(f"There is no tokenizer {options.tokenize!r} in sacrebleu: choose from {known}.")
    asian = options.tokenize in _SPLIT_CHARACTERS
    try:
        return {
            "bleu": BLEU(tokenize=options.tokenize, lowercase=options.lowercase),
            "chrf": CHRF(lowercase=options.lowercase),
            "ter": TER(asian_support=asian, normalized=asian),
        }
    except (ImportError, RuntimeError) as error:
        package = f'pip install "sacrebleu[{options.tokenize.split("-")[0]}]"'
        raise UsageError(f"The tokenizer {options.tokenize} needs a package that is missing: {package}.") from error
    except OSError as error:
        raise DataError(f"The tokenizer {options.tokenize} needs a file that could not be fetched: {error}.") from error
