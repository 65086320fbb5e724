"""Covering arrays: few combinations of options in which every pair of values meets."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product

Combination = dict[str, str]


def pairwise(options: Mapping[str, Sequence[str]]) -> list[Combination]:
    """Combinations of one value for each option, so that any two values of two options meet in at least one of them."""
    names = sorted(options)
    every = [dict(zip(names, values, strict=True)) for values in product(*(options[name] for name in names))]
    missing = set().union(*(pairs(combination) for combination in every))
    chosen = []
    while missing:
        best = max(every, key=lambda combination: len(pairs(combination) & missing))
        chosen.append(best)
        missing -= pairs(best)
    return chosen


def pairs(combination: Combination) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    """All pairs of values that meet in a combination."""
    first_and_second = combinations(sorted(combination.items()), 2)
    return set(first_and_second)


def label(combination: Combination) -> str:
    """What a test calls a combination."""
    return "-".join(combination[name] for name in sorted(combination))
