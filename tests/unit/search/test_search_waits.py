"""The search waits for the device once a step, however many rows it has."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from s2s.search import SearchOptions
from tests.unit.search.toy import Toy, run

WAITING = {"aten::nonzero", "aten::_local_scalar_dense", "aten::equal", "aten::masked_select", "aten::_unique2"}


class Waits(TorchDispatchMode):
    """Counts what makes the host wait on a GPU: sizes or values that depend on data."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        by_mask = function.overloadpacket._qualified_op_name in ("aten::index", "aten::index_put_") and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        self.count += by_mask or function.overloadpacket._qualified_op_name in WAITING
        return function(*args, **(kwargs or {}))


def test_one_wait_per_step() -> None:
    """With five hypotheses of each of eight segments as with one of one."""
    for beam, segments in ((1, 1), (5, 8)):
        toy = Toy(9, seed=1, ending=-2.0)
        with Waits() as waits:
            run(toy, range(segments), [12] * segments, SearchOptions(beam, 1.0, beam))
        assert len(toy.rows) > 4
        assert waits.count == len(toy.rows)
