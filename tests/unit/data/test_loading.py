"""Batches that other processes make are the same in the same order, and these processes leave nothing behind."""

import multiprocessing
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch

from s2s.config import AugmentationConfig
from s2s.data import batches as module
from s2s.data.batches import EMPTY, Batch, TrainingBatches
from s2s.data.loading import loading
from s2s.data.parallel_text import TextData
from s2s.data.speech import open_speech
from s2s.errors import AudioError, S2SError
from tests.tones import prepare_tones


@pytest.fixture
def text(prepared: TextData, monkeypatch: pytest.MonkeyPatch) -> TrainingBatches:
    """Of several windows, with subwords drawn anew in each epoch."""
    monkeypatch.setattr(module, "WINDOW", 150)
    return TrainingBatches(replace(prepared.segments("train"), sampler=prepared.codec.sampler(0.3), seed=1), 320, 1)


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_tones(tmp_path_factory.mktemp("tones"))


def speech(tones: Path) -> TrainingBatches:
    augmentation = AugmentationConfig(joined=2, speeds=(0.9, 1.1))
    return TrainingBatches(replace(open_speech(tones).segments("train"), augmentation=augmentation), 1200, 1)


def with_budget(batches: TrainingBatches, budget: int) -> TrainingBatches:
    return TrainingBatches(batches.segments, budget, batches.seed)


def three_epochs(batches: TrainingBatches, workers: int, skip: int = 0) -> Iterator[Batch]:
    with loading(batches, workers) as epoch_batches:
        for epoch in (4, 5, 6):
            yield from epoch_batches(epoch, skip if epoch == 4 else 0)


def assert_same(some: Iterator[Batch], others: Iterator[Batch]) -> None:
    for one, other in zip(some, others, strict=True):
        assert one.indices == other.indices
        for tensor, expected in zip(one.tensors(), other.tensors(), strict=True):
            assert tensor.dtype == expected.dtype
            assert torch.equal(tensor, expected)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("skip", [0, 1, 5])
def test_text_is_the_same_whoever_loads_it(text: TrainingBatches, workers: int, skip: int) -> None:
    assert_same(three_epochs(text, workers, skip), three_epochs(text, 0, skip))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_audio_is_the_same_whoever_loads_it(tones: Path, workers: int) -> None:
    assert_same(three_epochs(speech(tones), workers, 2), three_epochs(speech(tones), 0, 2))


def test_more_processes_than_batches(tones: Path) -> None:
    few = with_budget(speech(tones), 10**6)
    assert_same(three_epochs(few, 3), three_epochs(few, 0))


def test_a_process_gets_its_share_of_each_batch(text: TrainingBatches) -> None:
    """Also nothing of a batch that is too small."""
    text.budget, text.rank, text.ranks = 40, 3, 4
    assert any(batch is EMPTY for batch in text.epoch(0))
    assert_same(three_epochs(text, 2), three_epochs(text, 0))


def test_what_a_process_raises_is_raised_at_its_batch(tmp_path: Path) -> None:
    batches = speech(prepare_tones(tmp_path))
    wanted = list(batches.epoch(0))
    broken = wanted[3].indices[0]
    record = next(islice(batches.segments.records(), broken, None))  # type: ignore[attr-defined]
    (tmp_path / "data" / record["audio"]).resolve().unlink()
    with loading(batches, 2) as epoch_batches, pytest.raises(AudioError) as raised:
        for _ in epoch_batches(0, 0):
            pass
    assert Path(record["audio"]).name in str(raised.value)
    assert not multiprocessing.active_children()


def test_any_error_keeps_its_kind(text: TrainingBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'missing'", name="missing")

    monkeypatch.setattr(TrainingBatches, "_plan", fail)
    with loading(text, 2) as epoch_batches, pytest.raises(ModuleNotFoundError) as raised:
        next(epoch_batches(0, 0))
    assert raised.value.name == "missing"
    assert "in fail" in raised.value.__notes__[0]


@pytest.mark.parametrize("kind", ["text", "audio"])  # batches that a pipe can hold, and larger ones
def test_a_killed_process_is_told_of(text: TrainingBatches, tones: Path, kind: str) -> None:
    with loading(text if kind == "text" else speech(tones), 2) as epoch_batches:
        epochs = epoch_batches(0, 0)
        assert (next(epochs).source.nbytes > 2**16) == (kind == "audio")
        time.sleep(0.5)  # both have made a batch and wait
        for child in multiprocessing.active_children():
            os.kill(child.pid, signal.SIGKILL)  # type: ignore[arg-type]
        with pytest.raises(S2SError, match="A process that loads training data ended with exit code -9"):
            for number in range(1, 1000):
                list(epochs)
                epochs = epoch_batches(number, 0)
    assert not multiprocessing.active_children()


def test_too_many_processes_are_refused(text: TrainingBatches) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as free:
        resource.setrlimit(resource.RLIMIT_NOFILE, (free.fileno() + 12, before[1]))
    try:
        with (
            pytest.raises(S2SError, match=r"40 processes that load data cannot be started .*: give fewer --workers"),
            loading(text, 40) as epoch_batches,
        ):
            next(epoch_batches(0, 0))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("threads", [1, 4])
def test_features_do_not_depend_on_the_number_of_threads(tones: Path, threads: int) -> None:
    before = torch.get_num_threads()
    batches = TrainingBatches(
        replace(open_speech(tones).segments("train"), augmentation=AugmentationConfig(joined=8)), 5000, 1
    )
    torch.set_num_threads(threads)
    try:
        here = list(batches.epoch(0))
        assert torch.get_num_threads() == threads
        with loading(batches, 2) as epoch_batches:
            assert_same(epoch_batches(0, 0), iter(here))
    finally:
        torch.set_num_threads(before)


def test_one_process_alone_warns(text: TrainingBatches, capfd: pytest.CaptureFixture[str]) -> None:
    text.budget = 8
    assert len(list(three_epochs(text, 3))) > 9
    assert capfd.readouterr().err.count("there are segments that cost more") == 1


def test_the_processes_end_with_the_context_and_not_before(text: TrainingBatches) -> None:
    with loading(text, 2) as epoch_batches:
        next(epoch_batches(0, 0))
        for child in multiprocessing.active_children():  # a signal to all processes of a job is not for them
            os.kill(child.pid, signal.SIGTERM)  # type: ignore[arg-type]
            os.kill(child.pid, signal.SIGINT)  # type: ignore[arg-type]
        time.sleep(0.1)
        assert len(multiprocessing.active_children()) == 2
    assert not multiprocessing.active_children()


def test_the_processes_end_with_a_killed_parent(text: TrainingBatches) -> None:
    reader, writer = os.pipe()  # stays open as long as one of them lives
    parent = os.fork()
    if not parent:
        try:
            with loading(text, 2) as epoch_batches:
                next(epoch_batches(0, 0))
                os.write(writer, b"!")
                time.sleep(60)
        finally:
            os._exit(1)
    os.close(writer)
    assert os.read(reader, 1) == b"!"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert select.select([reader], [], [], 30)[0] == [reader]
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_program_that_forgets_to_close_ends(tones: Path) -> None:
    program = (
        "import sys\n"
        "from s2s.data.batches import TrainingBatches\n"
        "from s2s.data.loading import loading\n"
        "from s2s.data.speech import open_speech\n"
        "batches = TrainingBatches(open_speech(__import__('pathlib').Path(sys.argv[1])).segments('train'), 1200, 1)\n"
        "context = loading(batches, 2)\n"
        "next(context.__enter__()(0, 0))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tones)], check=True, timeout=60)
