"""The search waits for the device once a step, however many rows it has."""

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from s2s.search import SearchOptions
from tests.unit.search.toy import Toy, run

WAITING = {"nonzero", "item", "__bool__", "__int__", "__float__", "equal", "masked_select", "unique", "cpu"}


class Waits(TorchFunctionMode):
    """Counts what makes the host wait on a GPU: sizes or values that depend on data."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.__name__
        if name in ("__getitem__", "__setitem__"):
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            self.count += any(isinstance(part, torch.Tensor) and part.dtype == torch.bool for part in index)
        self.count += name in WAITING
        return function(*args, **(kwargs or {}))


def test_one_wait_per_step() -> None:
    """With five hypotheses of each of eight segments as with one of one."""
    for beam, segments in ((1, 1), (5, 8)):
        toy = Toy(9, seed=1, ending=-2.0)
        with Waits() as waits:
            run(toy, range(segments), [12] * segments, SearchOptions(beam, 1.0, beam))
        assert len(toy.rows) > 4
        assert waits.count == len(toy.rows)
