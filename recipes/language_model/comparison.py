"""How much lower one model's perplexity per word is than another's, with what chance has to do with it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from s2s.evaluation.bootstrap import SEED, Floats, interval, resample

SAMPLES = 1000
SCALE = 1e6
"""Log-probabilities are drawn in millionths, since the bootstrap counts in whole numbers, whose sums are exact."""


@dataclass(frozen=True)
class Comparison:
    """By how many per cent one perplexity is lower, and 95 % intervals, over lines, of that and of both of them."""

    reduction: float
    interval_95: tuple[float, float]
    model_interval_95: tuple[float, float]
    baseline_interval_95: tuple[float, float]
    signature: str = f"unit:line|bs:{SAMPLES}|seed:{SEED}"


def compare(texts: Sequence[str], model: Sequence[float], baseline: Sequence[float]) -> Comparison:
    """Compare the log-probabilities that two models give to the same lines; the ends of lines count as words.

    Paired bootstrap: both models meet the same draws of lines.
    """
    words = [len(text.split()) + 1 for text in texts]
    rows = zip(words, model, baseline, strict=True)
    counts = np.array([(count, *(round(value * SCALE) for value in values)) for count, *values in rows], dtype=np.int64)
    drawn = resample(counts, SAMPLES)
    whole = counts.sum(axis=0, keepdims=True).astype(np.float64)
    return Comparison(
        float(_reduction(whole)[0]),
        interval(_reduction(drawn)),
        interval(_perplexity(drawn, 1)),
        interval(_perplexity(drawn, 2)),
    )


def _perplexity(sums: Floats, column: int) -> npt.NDArray[np.float64]:
    return np.exp(np.minimum(-sums[:, column] / SCALE / sums[:, 0], math.log(np.finfo(np.float64).max) - 1))


def _reduction(sums: Floats) -> npt.NDArray[np.float64]:
    """In per cent, of sums (U, 3) of words and of both models' log-probabilities."""
    return 100 * (1 - np.exp(np.minimum((sums[:, 2] - sums[:, 1]) / SCALE / sums[:, 0], 700)))
