"""The nearest training source by character n-grams: the baseline that a translation memory would reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

ORDERS = (2, 3)

_Integers = npt.NDArray[np.int64]
_Codes = npt.NDArray[np.uint64]
_Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Grams:
    """The distinct n-grams of each text, in rows sorted by text and n-gram."""

    texts: _Integers
    codes: _Codes
    counts: _Integers


class NearestNeighbour:
    """An inverted index of tf-idf weighted character n-grams; similarity is the cosine, the first of equals wins."""

    def __init__(self, texts: Sequence[str]) -> None:
        assert texts
        grams = _grams(texts)
        self._vocabulary, ids, frequency = np.unique(grams.codes, return_inverse=True, return_counts=True)
        self._idf = np.log1p(len(texts) / frequency).astype(np.float32)
        weights = _weights(grams.counts, self._idf[ids])
        norms = np.sqrt(np.bincount(grams.texts, weights**2, minlength=len(texts)))
        weights = (weights / np.maximum(norms, 1e-9)[grams.texts]).astype(np.float32)
        order = np.argsort(ids, kind="stable")
        self._texts, self._weights = grams.texts[order], weights[order]
        self._starts = np.concatenate([[0], np.cumsum(frequency)])
        self._size = len(texts)

    def nearest(self, queries: Sequence[str]) -> list[int]:
        """For each query the index of the most similar text; 0 where none shares an n-gram with it."""
        grams = _grams(queries)
        places = np.minimum(np.searchsorted(self._vocabulary, grams.codes), len(self._vocabulary) - 1)
        known = self._vocabulary[places] == grams.codes
        bounds = np.searchsorted(grams.texts, np.arange(len(queries) + 1))
        results = []
        for start, end in pairwise(bounds):
            mine = known[start:end]
            ids = places[start:end][mine]
            results.append(self._best(ids, _weights(grams.counts[start:end][mine], self._idf[ids])))
        return results

    def _best(self, ids: _Integers, weights: _Weights) -> int:
        """The text with the largest sum of products over the given n-grams."""
        slices = [slice(self._starts[gram], self._starts[gram + 1]) for gram in ids]
        if not slices:
            return 0
        texts = np.concatenate([self._texts[part] for part in slices])
        products = np.concatenate([self._weights[part] * weight for part, weight in zip(slices, weights, strict=True)])
        return int(np.bincount(texts, products, minlength=self._size).argmax())


def _grams(texts: Sequence[str]) -> _Grams:
    """All n-grams as 64-bit codes; a text is case-folded and gets a space at both ends."""
    padded = [f" {text.casefold()} " for text in texts]
    characters = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    owners = np.repeat(np.arange(len(padded)), [len(text) for text in padded])
    all_owners, all_codes = [], []
    for order in ORDERS:
        count = max(len(characters) - order + 1, 0)
        codes = np.full(count, order, np.uint64)
        for offset in range(order):
            codes = (codes ^ characters[offset : offset + count]) * np.uint64(0x9E3779B97F4A7C15)
            codes ^= codes >> np.uint64(29)
        inside = owners[:count] == owners[order - 1 : order - 1 + count]
        all_owners.append(owners[:count][inside])
        all_codes.append(codes[inside])
    return _count(np.concatenate(all_owners), np.concatenate(all_codes))


def _count(owners: _Integers, codes: _Codes) -> _Grams:
    order = np.lexsort((codes, owners))
    owners, codes = owners[order], codes[order]
    first = np.ones(len(codes), bool)
    first[1:] = (owners[1:] != owners[:-1]) | (codes[1:] != codes[:-1])
    places = np.flatnonzero(first)
    return _Grams(owners[places], codes[places], np.diff(np.append(places, len(codes))))


def _weights(counts: _Integers, idf: _Weights) -> _Weights:
    return ((1 + np.log(counts)) * idf).astype(np.float32)
