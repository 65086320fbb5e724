"""Resampling: the right distribution, the same draws for all, and p-values by hand."""

import numpy as np
import pytest

from s2s.evaluation import bootstrap
from s2s.evaluation.bootstrap import interval, p_value, resample


def test_two_units_give_their_three_sums_in_their_shares() -> None:
    """Both once half of the time, and each twice a quarter of it."""
    sums = resample(np.array([[1], [10]]), 4000)
    values, counts = np.unique(sums, return_counts=True)
    assert values.tolist() == [2, 11, 20]
    assert counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)


def test_all_columns_meet_the_same_draws() -> None:
    """The number of units is the same in each sample, and a multiple of a column stays one."""
    counts = np.arange(30)[:, None] * [1, 3, 0] + [0, 0, 1]
    sums = resample(counts, 200)
    assert sums.shape == (200, 3)
    assert np.array_equal(sums[:, 1], 3 * sums[:, 0])
    assert np.array_equal(sums[:, 2], np.full(200, 30))
    assert np.std(sums[:, 0]) == pytest.approx(np.sqrt(30) * np.std(np.arange(30)), rel=0.2)


def test_draws_do_not_depend_on_how_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large test sets are drawn for in pieces; more samples begin with the same ones."""
    counts = np.arange(50)[:, None]
    whole = resample(counts, 300)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 7 * 50)
    assert np.array_equal(resample(counts, 300), whole)
    assert np.array_equal(resample(counts, 100), whole[:100])


def test_the_interval_leaves_out_a_fortieth_at_each_end() -> None:
    """Of the numbers from 0 to 1000 in any order."""
    assert interval(np.random.default_rng(1).permutation(np.arange(1001.0))) == (25.0, 975.0)


@pytest.mark.parametrize(
    ("difference", "resampled", "expected"),
    [
        (1.0, [0.0, 1.0, 2.5, 3.0], 4 / 5),
        (-2.0, [-2.5, -1.5, -4.5, 0.5], 3 / 5),
        (5.0, [4.0, 5.0, 6.0, 5.5], 1 / 5),
        (0.0, [0.0, 0.0, 0.0, 0.0], 1.0),
    ],
)
def test_p_values_by_hand(difference: float, resampled: list[float], expected: float) -> None:
    """The share that is as far from the difference as it is from zero, with one added to both counts."""
    assert p_value(np.array(resampled), difference) == pytest.approx(expected)


def test_equal_systems_rarely_seem_to_differ() -> None:
    """Of 200 pairs that differ by chance alone about a twentieth is below 0.05."""
    draw = np.random.default_rng(3)
    small = 0
    for _ in range(200):
        errors = draw.poisson(3, (80, 2))
        sums = resample(errors, 200)
        difference = sums[:, 1] - sums[:, 0]
        small += p_value(difference, float(errors[:, 1].sum() - errors[:, 0].sum())) < 0.05
    assert 2 <= small <= 20
