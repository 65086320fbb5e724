"""Bootstrap of error rates: the units of a test set drawn with replacement, for intervals and paired comparisons."""

import numpy as np
import numpy.typing as npt

SEED = 12345

Floats = npt.NDArray[np.float64]

_DRAWN_AT_ONCE = 1 << 20


def resample(counts: npt.NDArray[np.int64], samples: int) -> Floats:
    """Sums of counts (U, C) over U units drawn with replacement, `samples` times: (samples, C).

    Columns that belong together, such as those of two systems, meet the same draws. The sums are exact.
    """
    units = len(counts)
    generator = np.random.default_rng(SEED)
    rows = max(_DRAWN_AT_ONCE // units, 1)
    sums = []
    for start in range(0, samples, rows):
        drawn = generator.integers(units, size=(min(rows, samples - start), units))
        places = drawn + units * np.arange(len(drawn))[:, None]
        times = np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape)
        sums.append(times.astype(np.float64) @ counts.astype(np.float64))
    return np.concatenate(sums)


def interval(resampled: Floats) -> tuple[float, float]:
    """The bounds that 95 % of the resampled values lie between (Bisani & Ney 2004, doi:10.1109/ICASSP.2004.1326009)."""
    lower, upper = np.quantile(resampled, (0.025, 0.975))
    return float(lower), float(upper)


def p_value(resampled_difference: Floats, difference: float) -> float:
    """How likely so large a difference, of either sign, is if the systems are equally good.

    That is the share of resamples in which the difference is as far from the observed one as that is from zero; one is
    added to both counts, so that it is never zero (Noreen 1989; Riezler & Maxwell 2005, aclanthology.org/W05-0908).
    """
    as_far = np.count_nonzero(np.abs(resampled_difference - difference) >= abs(difference))
    return (int(as_far) + 1) / (len(resampled_difference) + 1)
