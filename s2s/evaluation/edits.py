"""The fewest edits between hypotheses and references, of words and of characters, through jiwer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from s2s.evaluation.normalisers import Normaliser

if TYPE_CHECKING:
    from jiwer import AlignmentChunk

Integers = npt.NDArray[np.int64]
Pair = tuple[str | None, str | None]
"""A word of the reference and that of the hypothesis in its place; None where one of them has none."""

_COLUMNS = {"substitute": 0, "delete": 1, "insert": 2}


@dataclass(frozen=True)
class EditCounts:
    """Counts of each of N segments: `words` (N, 4) and `characters` (N, 4).

    The columns are substitutions, deletions, insertions and the length of the reference. Where a reference is empty
    all that its hypothesis holds is inserted.
    """

    words: Integers
    characters: Integers


def count_edits(hypotheses: Sequence[str], references: Sequence[str], normaliser: Normaliser) -> EditCounts:
    """The edits of each segment, both sides normalised; the sequences have equal lengths.

    The characters are those of the normalised words and of one space between each two.
    """
    expected = [normaliser(text) for text in references]
    found = [normaliser(text) for text in hypotheses]
    return EditCounts(_count(expected, found, characters=False), _count(expected, found, characters=True))


def align_words(hypotheses: Sequence[str], references: Sequence[str], normaliser: Normaliser) -> Iterator[list[Pair]]:
    """For each segment its words side by side, both sides normalised; where two ways are equally short, jiwer's."""
    expected = [normaliser(text) for text in references]
    found = [normaliser(text) for text in hypotheses]
    alignments = _align(_join(expected), _join(found), characters=False)
    for chunks, one, other in zip(alignments, expected, found, strict=True):
        yield list(_pairs(chunks, one, other))


def _join(segments: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(words) for words in segments]


def _align(references: list[str], hypotheses: list[str], characters: bool) -> "list[list[AlignmentChunk]]":
    import jiwer

    units = jiwer.ReduceToListOfListOfChars() if characters else jiwer.ReduceToListOfListOfWords()
    return jiwer.process_words(references, hypotheses, units, units).alignments


def _count(references: list[list[str]], hypotheses: list[list[str]], characters: bool) -> Integers:
    lines = _join(references)
    counts = np.zeros((len(references), 4), np.int64)
    counts[:, 3] = [len(units) for units in (lines if characters else references)]
    for row, chunks in zip(counts, _align(lines, _join(hypotheses), characters), strict=True):
        for chunk in chunks:
            if chunk.type in _COLUMNS:
                deleted, inserted = chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
                row[_COLUMNS[chunk.type]] += max(deleted, inserted)
    return counts


def _pairs(chunks: "list[AlignmentChunk]", reference: list[str], hypothesis: list[str]) -> Iterator[Pair]:
    for chunk in chunks:
        expected = reference[chunk.ref_start_idx : chunk.ref_end_idx]
        found = hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]
        yield from zip_longest(expected, found)
