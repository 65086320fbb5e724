"""What training and validation ask of a part of prepared data, whatever its sources are made of."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

MULTIPLE = 2
"""Padded lengths of text are multiples of it."""

Source = Sequence[int] | Tensor
"""Ids that end with EOS, or features (S, F)."""

Pair = tuple[Source, Source]
"""A source, and target ids without BOS and EOS; or labels or values, which have neither (`s2s.data.labelled`)."""


class Drawn(Protocol):
    """Segments as they come in one epoch. Their lengths are known before their sources are made."""

    @property
    def lengths(self) -> Sequence[tuple[int, int]]:
        """Of each segment the length of its source, and of its target without BOS and EOS."""

    def pair(self, position: int) -> Pair:
        """The segment at a position among the drawn ones."""


class DrawnText(Drawn, Protocol):
    """Segments whose targets are texts."""

    def target(self, position: int) -> list[int]:
        """The target of the segment at a position among the drawn ones."""


class Drawable(Protocol):
    """The rows of a part, of which batches are made."""

    @property
    def multiple(self) -> int:
        """Padded lengths of sources are multiples of it, see `s2s.data.batches.round_up`."""

    @property
    def budget(self) -> str:
        """The key of the config that limits a batch."""

    def __len__(self) -> int: ...

    def draw(self, rows: Sequence[int], epoch: int | None) -> Drawn:
        """The given rows as they come in an epoch; None: as they are, without sampling or augmentation."""


class Segments(Drawable, Protocol):
    """The rows of a part whose targets are texts."""

    def draw(self, rows: Sequence[int], epoch: int | None) -> DrawnText:
        """See `Drawable`."""

    def name(self, row: int) -> str:
        """What the corpus calls a row."""

    def references(self) -> list[str]:
        """The raw target of each row."""

    def text(self, row: int, tokens: Sequence[int]) -> str:
        """What target ids say, as a hypothesis for a row."""
