"""What checks found out: of one utterance, and of all of them by kind."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from s2s.errors import DataError

HIGHEST_RATE = 16_000
"""Hz that speech needs; more costs time and brings nothing."""

NAMES = 3
"""Ids that a line of the report shows."""


@dataclass(frozen=True)
class Finding:
    """What came out for one utterance.

    With a `problem` it cannot be used, and `detail` says why in a sentence; `remarks` are only to be known. `rate` in
    Hz is that of the file, `samples` are those of the utterance at that rate; 0 where they are not known.
    """

    id: str
    problem: str | None = None
    detail: str = ""
    remarks: tuple[str, ...] = ()
    rate: int = 0
    samples: int = 0

    @property
    def seconds(self) -> float:
        """The length of the utterance; 0 where it is not known."""
        return self.samples / self.rate if self.rate else 0.0


@dataclass
class _Kind:
    """How many utterances are of a kind, the ids of the first, and a sentence on the first of all."""

    count: int = 0
    names: list[str] = field(default_factory=list)
    detail: str = ""

    def add(self, finding: Finding) -> None:
        self.count += 1
        self.detail = self.detail or finding.detail
        if len(self.names) < NAMES:
            self.names.append(finding.id)

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.names) else ""
        return f"{self.count:,} ({', '.join(self.names)}{more})"


@dataclass
class Report:
    """All findings by kind; `kept` and `seconds` count what can be used, `rates` its files of each rate in Hz."""

    total: int = 0
    kept: int = 0
    seconds: float = 0.0
    _problems: dict[str, _Kind] = field(default_factory=dict)
    _remarks: dict[str, _Kind] = field(default_factory=dict)
    _rates: dict[int, _Kind] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        self.total += 1
        if finding.problem is not None:
            self._problems.setdefault(finding.problem, _Kind()).add(finding)
            return
        self.kept += 1
        self.seconds += finding.seconds
        self._rates.setdefault(finding.rate, _Kind()).add(finding)
        for remark in finding.remarks:
            self._remarks.setdefault(remark, _Kind()).add(finding)

    @property
    def rates(self) -> Counter[int]:
        """How many usable utterances there are of each rate in Hz."""
        return Counter({rate: kind.count for rate, kind in self._rates.items()})

    @property
    def problems(self) -> Counter[str]:
        """How many utterances have each problem."""
        return Counter({problem: kind.count for problem, kind in self._problems.items()})

    @property
    def remarks(self) -> Counter[str]:
        """How many usable utterances have each remark."""
        return Counter({remark: kind.count for remark, kind in self._remarks.items()})

    def lines(self, rate: int | None = None) -> Iterator[str]:
        """A line for each problem and remark, the most frequent first; `rate` in Hz is the features', if known."""
        for problem, kind in sorted(self._problems.items(), key=lambda item: -item[1].count):
            yield f"left out, {problem}: {kind}. {kind.detail}"
        for remark, kind in sorted(self._remarks.items(), key=lambda item: -item[1].count):
            yield f"kept, {remark}: {kind}"
        for own, kind in sorted(self._rates.items(), key=lambda item: -item[1].count):
            if rate and own != rate:
                less = f", which is below {rate:,} Hz: the upper bands are empty" if own < rate else ""
                yield f"kept, resampled from {own:,} Hz{less}: {kind}"


def choose_rate(rates: Mapping[int, int]) -> int:
    """The rate in Hz for a corpus with so many files of each rate: the most frequent one, at most 16,000.

    The higher one of two that are as frequent. DataError: there are no files.
    """
    if not rates:
        raise DataError("There is no recording that can be used, so that no rate can be chosen.")
    return min(HIGHEST_RATE, max(rates, key=lambda rate: (rates[rate], rate)))
