"""Batches that other processes make ahead while the model learns: the same ones in the same order.

Of several such processes each makes every so many-th batch and writes it into a pipe, where it waits for its turn.
"""

import atexit
import multiprocessing
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import torch

from s2s.data.batches import Batch, EpochSource
from s2s.errors import S2SError

EpochBatches = Callable[[int, int], Iterator[Batch]]
"""The batches of an epoch without the first few, as `EpochSource.epoch` gives them."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def loading(batches: EpochSource, workers: int) -> Iterator[EpochBatches]:
    """A context in which so many processes make the batches, none: this one does, when they are asked for.

    Epochs are to be read one after the other, each to its end but the last. What a process raises is raised where its
    batch is asked for; S2SError when it was killed, or cannot be started.
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

    def __init__(self, batches: EpochSource, workers: int) -> None:
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
        ends = [self._receive((number + other) % self.workers) for other in range(1, self.workers)]
        assert all(end is None for end in ends), "each process tells that the epoch is over"

    def _start(self, epoch: int, skip: int) -> None:
        atexit.register(self.close)  # before multiprocessing waits for processes that nobody closed
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # for the new processes, which keep it so
        try:
            for worker in range(self.workers):
                self._fork(epoch, skip, worker)
        except OSError as error:
            raise S2SError(
                f"{self.workers:,} processes that load data cannot be started ({error.strerror}): give fewer --workers."
            ) from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _fork(self, epoch: int, skip: int, worker: int) -> None:
        fork = multiprocessing.get_context("fork")  # shares what the data holds in memory
        reader, writer = fork.Pipe(duplex=False)
        self.pipes.append(reader)
        share = (self.batches, epoch, skip, worker, self.workers)
        process = fork.Process(target=_work, args=(*share, writer, self.pipes), daemon=True)
        with writer:
            process.start()
        self.processes.append(process)

    def _receive(self, worker: int) -> Batch | None:
        try:
            received = self.pipes[worker].recv()
        except (EOFError, OSError) as error:  # what the process itself met comes as a value
            self.processes[worker].join()
            code = self.processes[worker].exitcode
            raise S2SError(f"A process that loads training data ended with exit code {code}.") from error
        if isinstance(received, Exception):
            raise received
        return None if received is None else _unpack(*received)

    def close(self) -> None:
        """End the processes, which own nothing that could be lost."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.join()
        for pipe in self.pipes:
            pipe.close()
        atexit.unregister(self.close)


def _work(
    batches: EpochSource,
    epoch: int,
    skip: int,
    worker: int,
    workers: int,
    pipe: Connection,
    others: list[Connection],
) -> None:
    """Write the batches of one process, with None at the end of each epoch, until nobody reads any more.

    Signals that were blocked stay so: the process that reads decides when this one ends.
    """
    for reader in others:
        reader.close()
    torch.set_num_threads(1)  # a fork has lost the others
    with suppress(BrokenPipeError):
        try:
            for number in count(epoch):
                for batch in batches.epoch(number, skip if number == epoch else 0, worker, workers):
                    pipe.send(_pack(batch))
                pipe.send(None)
        except BrokenPipeError:
            raise
        except Exception as error:
            error.add_note(f"In a process that loads training data:\n{traceback.format_exc()}")
            pipe.send(error)


def _pack(batch: Batch) -> tuple[object, ...]:
    """As arrays, whose bytes go through the pipe; torch would share memory, of which a container may have little."""
    return (batch.indices, batch.continues, *(tensor.numpy() for tensor in batch.tensors()))


def _unpack(indices: list[int], continues: bool, *arrays: Any) -> Batch:
    return Batch(indices, *map(torch.from_numpy, arrays), continues=continues)
