"""Where the errors are: by speaker, by length of the reference, in which segments, and which words are confused."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from s2s.evaluation.edits import EditCounts, Pair, align_words, count_edits
from s2s.evaluation.normalisers import normaliser

LENGTHS = (0, 1, 3, 6, 11, 21, 41)
"""The least number of reference words in each row of the table by length."""
CONFUSIONS = 20


@dataclass(frozen=True)
class Group:
    """Some of the segments together: `words` and `characters` are those of the references, errors those of words."""

    name: str
    segments: int
    wrong_segments: int
    words: int
    substitutions: int
    deletions: int
    insertions: int
    characters: int
    character_errors: int

    @property
    def wer(self) -> float | None:
        """Word error rate in percent; None without reference words."""
        return 100 * (self.substitutions + self.deletions + self.insertions) / self.words if self.words else None

    @property
    def cer(self) -> float | None:
        """Character error rate in percent; None without reference words."""
        return 100 * self.character_errors / self.characters if self.characters else None


@dataclass(frozen=True)
class WrongSegment:
    """A segment with an error, by its index from 0, and its words side by side."""

    index: int
    pairs: list[Pair]


@dataclass(frozen=True)
class Confusion:
    """A reference word and what stood in its place, and how often; None for a deleted or an inserted word."""

    reference: str | None
    hypothesis: str | None
    count: int


@dataclass(frozen=True)
class Details:
    """Where the errors are. `speakers` is empty where no segment has one; a segment without one is in none of them."""

    speakers: list[Group]
    lengths: list[Group]
    wrong: list[WrongSegment]
    confusions: list[Confusion]


def find_details(
    hypotheses: Sequence[str],
    references: Sequence[str],
    normaliser_name: str,
    speakers: Sequence[str | None] | None = None,
) -> Details:
    """The details of one system, for sequences of equal lengths; UsageError for an unknown normaliser.

    Speakers stand in the order of their names, confusions by count, of which there are `CONFUSIONS` at most.
    """
    words = normaliser(normaliser_name)
    counts = count_edits(hypotheses, references, words)
    lengths = [bisect_right(LENGTHS, length) - 1 for length in counts.words[:, 3]]
    aligned = enumerate(align_words(hypotheses, references, words))
    wrong = [WrongSegment(index, pairs) for index, pairs in aligned if any(one != other for one, other in pairs)]
    return Details(
        [_group(name, counts, speakers or (), name) for name in sorted(set(filter(None, speakers or ())))],
        [_group(_length_name(row), counts, lengths, row) for row in sorted(set(lengths))],
        wrong,
        _confusions(wrong),
    )


def _group(name: str, counts: EditCounts, members: Sequence[Hashable], member: Hashable) -> Group:
    """The sums over the segments whose entry in `members` is `member`."""
    rows = [index for index, other in enumerate(members) if other == member]
    words, characters = counts.words[rows], counts.characters[rows]
    substitutions, deletions, insertions, length = (int(total) for total in words.sum(axis=0))
    return Group(
        name=name,
        segments=len(rows),
        wrong_segments=int(words[:, :3].any(axis=1).sum()),
        words=length,
        substitutions=substitutions,
        deletions=deletions,
        insertions=insertions,
        characters=int(characters[:, 3].sum()),
        character_errors=int(characters[:, :3].sum()),
    )


def _length_name(row: int) -> str:
    """Such as `3-5`."""
    if row == len(LENGTHS) - 1:
        return f"{LENGTHS[row]} or more"
    first, last = LENGTHS[row], LENGTHS[row + 1] - 1
    return str(first) if first == last else f"{first}-{last}"


def _confusions(wrong: Sequence[WrongSegment]) -> list[Confusion]:
    """The most frequent first; those that are equally so in the order of their words."""
    counts = Counter(pair for segment in wrong for pair in segment.pairs if pair[0] != pair[1])
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0][0] or "", item[0][1] or ""))
    return [Confusion(reference, hypothesis, count) for (reference, hypothesis), count in ordered[:CONFUSIONS]]
