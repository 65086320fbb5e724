"""Training by several processes: the updates of one, signals, losses of a process, and resuming on another number."""

import errno
import json
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from s2s.cli.processes import meeting_place
from s2s.config import RunConfig, parse
from s2s.errors import FailedElsewhereError, S2SError
from s2s.training import objectives, steps
from s2s.training import run as running
from s2s.training.run import TrainOptions, train
from tests.reliability.runs import assert_same, last
from tests.reliability.together import AUDIO, TEXT, Folders, losses, with_training

STILL = {f"{name}_dropout": 0.0 for name in ("embedding", "layer", "output", "weight")}
UNCHANGED = {"speeds": [1.0], "volume": 0, "time_masks": 0, "frequency_masks": 0, "masks_from_epoch": 0}

Change = Callable[[int], None]


def train_together(processes: int, data: Path, run: Path, config: dict[str, Any], change: Change | None = None) -> None:
    """Train in forked processes, each after a change of its code that is a function of its rank.

    Each must end by itself: as it should, or with an error of s2s, which are noted in files `RANK.TYPE` beside the run.
    """
    settings = parse(RunConfig, config, "test")

    def work(rank: int) -> None:
        os.environ |= place | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        if change is not None:
            change(rank)
        running.plot_curves = running.plot_alignments = lambda *_: None  # type: ignore[assignment]
        try:
            train(settings, TrainOptions(data, run))
        except S2SError as error:
            traceback.print_exc()
            run.with_name(f"{rank}.{type(error).__name__}").write_text(str(error))

    place = meeting_place(processes)
    started = [multiprocessing.get_context("fork").Process(target=work, args=(rank,)) for rank in range(processes)]
    for process in started:
        process.start()
    for process in started:
        process.join(100)
        assert process.exitcode == 0


def errors(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.*") if path.name[0].isdigit()}


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("text", TEXT | {"regularisation": STILL}),
        ("text", with_training(TEXT, batch_tokens=24, accumulation=3) | {"regularisation": STILL}),  # batches of one
        ("audio", AUDIO | {"regularisation": STILL, "augmentation": UNCHANGED}),
    ],
)
def test_two_processes_make_the_updates_of_one(
    folders: Folders, tmp_path: Path, kind: str, config: dict[str, Any]
) -> None:
    found = []
    for processes in (1, 2):
        run = tmp_path / f"run{processes}"
        train_together(processes, folders[kind], run, with_training(config, max_updates=50))
        assert not errors(tmp_path)
        found.append(list(losses(run)))
        assert json.loads((run / "manifest.json").read_text())["processes"] == processes
    assert len(found[0]) == len(found[1]) >= 15
    for (name, update, alone), (*same, together) in zip(*found, strict=True):
        assert same == [name, update]
        assert together == pytest.approx(alone, abs=1e-5 if name != "gradient_norm" else 1e-3), (name, update)


def test_each_segment_comes_once(folders: Folders, tmp_path: Path) -> None:
    def note_rows(rank: int) -> None:
        original = steps.Updater.__call__

        def call(self: steps.Updater, batches: Any, share: float = 0.0) -> Any:
            with (tmp_path / "rows").open("a") as file:
                file.writelines(f"{row}\n" for batch in batches for row in batch.indices)
            return original(self, batches, share)

        steps.Updater.__call__ = call  # type: ignore[method-assign]

    train_together(3, folders["text"], tmp_path / "run", with_training(TEXT, max_epochs=2, max_updates=None), note_rows)
    rows = sorted(map(int, (tmp_path / "rows").read_text().split()))
    assert rows == sorted([*range(216), *range(216)])


def stopping(rank: int, updates: int) -> Change:
    """That process gets a SIGTERM after so many updates."""

    @contextmanager
    def polite_stop() -> Iterator[Callable[[], signal.Signals | None]]:
        calls = iter(range(1, 10**6))
        yield lambda: signal.SIGTERM if next(calls) >= updates else None

    def change(own: int) -> None:
        if own == rank:
            running.polite_stop = polite_stop

    return change


@pytest.mark.parametrize(("kind", "config", "rank"), [("text", TEXT, 1), ("audio", AUDIO, 0)])
def test_stopped_and_resumed_is_as_never_stopped(
    folders: Folders, tmp_path: Path, kind: str, config: dict[str, Any], rank: int
) -> None:
    config = with_training(config, max_updates=24)
    train_together(2, folders[kind], tmp_path / "straight", config)
    train_together(2, folders[kind], tmp_path / "broken", config, stopping(rank, 13))
    assert errors(tmp_path) == {"0.Stopped", "1.Stopped"}
    assert json.loads((tmp_path / "broken" / "last.json").read_text())["update"] == 13
    train_together(2, folders[kind], tmp_path / "broken", config)
    assert_same(tmp_path / "straight", tmp_path / "broken")
    assert "state.generator.cpu.1" in last(tmp_path / "broken")


def test_another_number_of_processes_goes_on(folders: Folders, tmp_path: Path) -> None:
    for processes, updates in ((1, 10), (3, 10), (2, 10)):
        train_together(
            processes, folders["text"], tmp_path / "run", with_training(TEXT, max_updates=35), stopping(0, updates)
        )
    assert json.loads((tmp_path / "run" / "last.json").read_text())["update"] == 30
    train_together(2, folders["text"], tmp_path / "run", with_training(TEXT, max_updates=35))
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["finished"]


def test_a_stop_after_a_save_that_found_no_room_saves_on_all(folders: Folders, tmp_path: Path) -> None:
    def fill(rank: int) -> None:
        from s2s.training import trainer

        original, calls = trainer.publish, iter(range(10))

        def publish(*arguments: Any) -> None:
            if next(calls) == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            original(*arguments)

        trainer.publish = publish
        stopping(1, 10)(rank)

    train_together(2, folders["text"], tmp_path / "run", with_training(TEXT, max_updates=20), fill)
    assert errors(tmp_path) == {"0.Stopped", "1.Stopped"}
    assert json.loads((tmp_path / "run" / "last.json").read_text())["update"] == 10


@pytest.mark.parametrize("when", ["built", "saved"])
def test_an_error_of_one_process_ends_all(folders: Folders, tmp_path: Path, when: str) -> None:
    def break_it(rank: int) -> None:
        def fail(*arguments: object) -> None:
            raise S2SError("broken")

        if when == "built" and rank == 1:
            running.build_trainer = fail  # type: ignore[assignment]
        if when == "saved" and rank == 0:
            from s2s.training import trainer

            trainer.publish = fail  # type: ignore[assignment]

    train_together(2, folders["text"], tmp_path / "run", with_training(TEXT, max_updates=20), break_it)
    guilty = 1 if when == "built" else 0
    assert errors(tmp_path) == {f"{guilty}.S2SError", f"{1 - guilty}.{FailedElsewhereError.__name__}"}


def test_an_error_of_all_processes_is_told_by_the_first_alone(folders: Folders, tmp_path: Path) -> None:
    def break_it(rank: int) -> None:
        def fail(*arguments: object) -> None:
            raise S2SError(f"broken in {rank}")

        running.build_trainer = fail  # type: ignore[assignment]

    train_together(2, folders["text"], tmp_path / "run", with_training(TEXT, max_updates=20), break_it)
    assert errors(tmp_path) == {"0.S2SError", "1.FailedElsewhereError"}


def test_a_gradient_that_is_not_finite_is_told_by_the_first_alone(folders: Folders, tmp_path: Path) -> None:
    def spoil(rank: int) -> None:
        original = objectives.batch_losses

        def losses(*arguments: Any) -> objectives.Losses:
            found = original(*arguments)
            return {**found, "loss": found["loss"] * float("nan")} if rank else found

        objectives.batch_losses = losses

    train_together(2, folders["text"], tmp_path / "run", with_training(TEXT, max_updates=20), spoil)
    assert errors(tmp_path) == {"0.NonFiniteError", "1.FailedElsewhereError"}
    shown = (tmp_path / "0.NonFiniteError").read_text().partition("from rows ")[2].partition(" of the")[0]
    assert len(shown.split(", ")) > 1
