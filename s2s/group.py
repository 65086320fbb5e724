"""What the processes that work together on one job exchange.

Gradients are summed in one piece after the backward pass and not by `DistributedDataParallel`: a process may have no
segment of a small batch, and while CTC is trained alone the decoder has no gradient, on any process; hooks that wait
for each weight's gradient would then hang, or search the graph in every update.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import torch
from torch import Tensor, distributed
from torch.nn import Parameter

from s2s import ranks
from s2s.errors import FailedElsewhereError, S2SError

Item = TypeVar("Item")


class Group:
    """One process among `size` that work together; `rank` 0 leads: it alone speaks and writes. Alone by default."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size

    @property
    def leads(self) -> bool:
        """Whether this is the process that speaks and writes."""
        return self.rank == 0

    def numbers(self, own: float) -> list[float]:
        """The number of each process, by rank."""
        if self.size == 1:
            return [own]
        found = torch.zeros(self.size, dtype=torch.float64)
        found[self.rank] = own
        return self.sum(found).tolist()

    def gather(self, item: Item) -> list[Item]:
        """What each process gave, by rank; slower than `numbers`."""
        if self.size == 1:
            return [item]
        found: list[Item | None] = [None] * self.size
        with _peers_alive():
            distributed.all_gather_object(found, item)
        return found  # type: ignore[return-value]

    def share(self, item: Item) -> Item:
        """What the process that leads gave."""
        if self.size == 1:
            return item
        found = [item]
        with _peers_alive():
            distributed.broadcast_object_list(found, 0)
        return found[0]

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place; bit for bit the same on each."""
        if self.size > 1:
            with _peers_alive():
                distributed.all_reduce(values)
        return values

    def sum_gradients(self, parameters: Sequence[Parameter]) -> None:
        """Make each gradient the sum over all processes; one that no process has stays None."""
        if self.size == 1:
            return
        have = self.sum(torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.int32))
        used = [parameter for parameter, owners in zip(parameters, have.tolist(), strict=True) if owners]
        parts = [torch.zeros_like(one) if one.grad is None else one.grad for one in used]
        total = self.sum(torch.cat([part.flatten() for part in parts]))
        for parameter, part in zip(used, torch.split(total, [one.numel() for one in used]), strict=True):
            parameter.grad = part.view_as(parameter)

    def copy_from_leader(self, tensors: Sequence[Tensor]) -> None:
        """Give tensors of equal shapes on all processes the values of rank 0."""
        if self.size > 1:
            with _peers_alive(), torch.no_grad():
                for tensor in tensors:
                    distributed.broadcast(tensor, 0)

    def fail(self, error: S2SError) -> NoReturn:
        """Raise an error that all processes meet at once, and that the first is to tell."""
        if self.leads:
            raise error
        raise FailedElsewhereError from error

    @contextmanager
    def together(self) -> Iterator[None]:
        """A part that works on all processes or on none: where it fails on one, the others fail too, without a word.

        Nothing may be exchanged within it: who failed would not take part.
        """
        try:
            yield
        except Exception as error:
            failed = self.gather(True)
            if any(failed[: self.rank]):
                raise FailedElsewhereError from error  # most likely the same error, which that process tells
            raise
        if any(self.gather(False)):
            raise FailedElsewhereError


@contextmanager
def joined(device: str) -> Iterator[Group]:
    """The group that this process belongs to, for as long as it computes on a device of that name."""
    if ranks.count() == 1:
        yield Group()
        return
    backend = "cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo"
    with _peers_alive():
        store, rank, size = next(distributed.rendezvous("env://"))  # type: ignore[attr-defined]
        if ranks.local_count() == size:
            # torchrun keeps one store over its restarts, in which the addresses of processes that are gone still stand.
            # (Several machines may count restarts differently: see the README.)
            store = distributed.PrefixStore(f"restart {ranks.restarts()}", store)  # type: ignore[attr-defined]
        distributed.init_process_group(backend, store=store, rank=rank, world_size=size)
    try:
        yield Group(ranks.rank(), ranks.count())
    finally:
        distributed.destroy_process_group()


@contextmanager
def _peers_alive() -> Iterator[None]:
    """S2SError, told by the first process alone, when another went away in the middle of an exchange."""
    try:
        yield
    except RuntimeError as error:
        if ranks.rank():
            raise FailedElsewhereError from error
        raise S2SError(
            "Another process of this job ended. The same command tries again; training goes on from its last "
            "checkpoint."
        ) from error
