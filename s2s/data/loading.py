"""Batches that other processes make ahead while the model learns: the same ones in the same order.

Of several such processes each makes every so many-th batch and writes it into a pipe, where it waits for its turn.
"""

import atexit
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import torch

from s2s.data.batches import Batch, TrainingBatches
from s2s.errors import S2SError

EpochBatches = Callable[[int, int], Iterator[Batch]]
"""The batches of an epoch without the first few, as `TrainingBatches.epoch` gives them."""


@contextmanager
def loading(batches: TrainingBatches, workers: int) -> Iterator[EpochBatches]:
    """A context in which so many processes make the batches, none: this one does, when they are asked for.

    Epochs are to be asked for one after the other. What a process raises is raised where its batch is asked for;
    S2SError when it was killed.
    """
    if not workers:
        yield batches.epoch
        return
    loader = _Loader(batches, workers)
    try:
        yield loader.epoch
    finally:
        loader.close()


class _Loader:
    """Processes that are started for the first epoch, and go on with the next ones until they are closed."""

    def __init__(self, batches: TrainingBatches, workers: int) -> None:
        self.batches = batches
        self.workers = workers
        self.pipes: list[Connection] = []
        self.processes: list[BaseProcess] = []
        self.next_epoch = 0

    def epoch(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        if not self.processes:
            self._start(epoch, skip)
        else:
            assert (epoch, skip) == (self.next_epoch, 0), "epochs come one after the other"
        self.next_epoch = epoch + 1
        number = 0
        while (batch := self._receive(number % self.workers)) is not None:
            yield batch
            number += 1
        for other in range(1, self.workers):  # each of them tells that the epoch is over
            assert self._receive((number + other) % self.workers) is None

    def _start(self, epoch: int, skip: int) -> None:
        atexit.register(self.close)  # before multiprocessing waits for processes that nobody closed
        fork = multiprocessing.get_context("fork")  # shares what the data holds in memory
        for worker in range(self.workers):
            reader, writer = fork.Pipe(duplex=False)
            self.pipes.append(reader)
            share = (self.batches, epoch, skip, worker, self.workers)
            self.processes.append(fork.Process(target=_work, args=(*share, writer, self.pipes), daemon=True))
            self.processes[-1].start()
            writer.close()

    def _receive(self, worker: int) -> Batch | None:
        try:
            received = self.pipes[worker].recv()
        except EOFError as error:
            self.processes[worker].join()
            code = self.processes[worker].exitcode
            raise S2SError(f"A process that loads training data ended with exit code {code}.") from error
        if isinstance(received, Exception):
            raise received
        return None if received is None else _unpack(*received)

    def close(self) -> None:
        """End the processes, which own nothing that could be lost."""
        atexit.unregister(self.close)
        for process, pipe in zip(self.processes, self.pipes, strict=True):
            process.kill()
            process.join()
            pipe.close()


def _work(
    batches: TrainingBatches,
    epoch: int,
    skip: int,
    worker: int,
    workers: int,
    pipe: Connection,
    others: list[Connection],
) -> None:
    """Write the batches of one process, with None at the end of each epoch, until nobody reads any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that reads decides when this one ends
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for reader in others:
        reader.close()
    torch.set_num_threads(1)
    with suppress(BrokenPipeError):
        try:
            for number in count(epoch):
                for batch in batches.epoch(number, skip if number == epoch else 0, worker, workers):
                    pipe.send(_pack(batch))
                pipe.send(None)
        except BrokenPipeError:
            raise
        except (S2SError, OSError) as error:
            pipe.send(error)


def _pack(batch: Batch) -> tuple[object, ...]:
    """As arrays, whose bytes go through the pipe; torch would share memory, of which a container may have little."""
    return (batch.indices, *(tensor.numpy() for tensor in batch.tensors()))


def _unpack(indices: list[int], *arrays: Any) -> Batch:
    return Batch(indices, *map(torch.from_numpy, arrays))
