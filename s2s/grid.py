"""Rows of which several read the same segment, side by side in a grid: nothing of a segment is copied for its rows."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """A cell for each row (N) in the line of its segment; `cells` (N) count through all `segments` lines of `width`."""

    cells: Tensor
    segments: int
    width: int

    @classmethod
    def of(cls, owner: Tensor, segments: int) -> "Grid":
        """The grid of rows whose segments are `owner` (N), from 0 to `segments` - 1, in any order."""
        count = torch.arange(len(owner), device=owner.device)
        if segments == 1:
            return cls(count, 1, len(owner))
        ordered, order = owner.sort(stable=True)
        within = torch.empty_like(order).index_copy_(0, order, count - torch.searchsorted(ordered, ordered))
        width = int(within.max()) + 1
        return cls(owner * width + within, segments, width)

    def spread(self, rows: Tensor) -> Tensor:
        """Rows (N, ...) to (segments, width, ...), with zeros in cells that belong to no row."""
        if self.segments == 1:
            return rows.unsqueeze(0)
        cells = rows.new_zeros(self.segments * self.width, *rows.shape[1:])
        return cells.index_copy_(0, self.cells, rows).view(self.segments, self.width, *rows.shape[1:])

    def collect(self, grid: Tensor) -> Tensor:
        """What `spread` made, or what a function of each cell made of it, to rows (N, ...)."""
        return grid[0] if self.segments == 1 else grid.flatten(0, 1).index_select(0, self.cells)
