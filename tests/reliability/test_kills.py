"""A kill at any moment: what was saved can be used, and the same command ends in the weights of a run never killed."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import RLock

import pytest
import torch
from tqdm import tqdm

from s2s.checkpoint import Score, load_model, publish, resume, save_training_state
from s2s.checkpoint.training_state import load_training_state
from s2s.config import RunConfig, parse
from s2s.errors import Stopped
from s2s.log import _tqdm as bars
from s2s.log import say
from s2s.training import run as running
from s2s.training.run import TrainOptions, train
from tests.digits import prepare_digits
from tests.reliability.runs import assert_same
from tests.tiny import write_model

STEPS = ("mkdir", "fsync", "fchmod", "chmod", "rename", "replace", "unlink", "rmdir")
"""What changes a disk, or makes changes last, among the functions of `os`; files are written between them."""

CONFIG = parse(
    RunConfig,
    {
        "model": {"embedding_width": 16, "encoder": {"width": 16}, "decoder": {"width": 16}},
        "regularisation": {"weight_dropout": 0.1},
        "training": {"max_updates": 9, "batch_tokens": 200, "validation_interval": 3, "keep_best": 1},
    },
    "test",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.optim.AdamW([torch.zeros(1)])  # the first one imports for seconds: here, so that no killed process is busy so
    return prepare_digits(tmp_path_factory.mktemp("digits"), {"train": 100, "dev": 5, "test": 5})


@pytest.fixture(scope="module")
def straight(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never killed."""
    run = tmp_path_factory.mktemp("straight") / "run"
    assert forked(lambda: train(CONFIG, TrainOptions(data, run))) == 0
    return run


def start(work: Callable[[], object]) -> int:
    """A process that does the work, without plots, and ends with 0, or 143 when a signal stopped it in order."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        tqdm.set_lock(RLock())  # datasets' bars share one with all that are forked from this process
        running.plot_curves = running.plot_alignments = lambda *_: None  # type: ignore[assignment]
        work()
        code = 0
    except Stopped as stopped:
        code = stopped.exit_code
    finally:
        os._exit(code)


def forked(work: Callable[[], object]) -> int:
    """How a process ended: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(start(work), 0)[1])


def killed_at(number: int) -> None:
    """Let this process be killed before that step from now on."""
    left = [number]

    def counted(original: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **named: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **named)

        return step

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))


def save(run: Path, update: int) -> None:
    """A checkpoint as training writes it, with a score that is better the later it is."""

    def write(folder: Path) -> None:
        shutil.copytree(run.parent / "model", folder, dirs_exist_ok=True)
        save_training_state(folder, {"update": torch.tensor([update])}, {"update": update})

    publish(run, update, write, Score("bleu", float(update)))


def test_a_process_that_is_killed_while_it_speaks_does_not_silence_others() -> None:
    say("the first word makes what guards the rest")

    def dies_speaking() -> None:
        bars().get_lock().acquire()
        os.kill(os.getpid(), signal.SIGKILL)

    for work, code in ((dies_speaking, -signal.SIGKILL), (lambda: say("a word"), 0)):
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join(20)
        assert process.exitcode == code


def assert_what_is_named_is_there(run: Path) -> None:
    """Each checkpoint that has its name is whole, and `best.json` and `last.json` name such ones."""
    whole = {path.name for path in (run / "checkpoints").iterdir() if path.name.isdecimal()}
    for name in whole:
        folder = run / "checkpoints" / name
        assert load_model(folder).model is not None
        assert load_training_state(folder)[1] == {"update": int(name)}
    for file in ("best.json", "last.json"):
        assert str(json.loads((run / file).read_text())["update"]) in whole


def test_a_kill_at_any_step_of_a_save_leaves_a_run_that_can_be_used(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    steps = 0
    while True:
        run = tmp_path / str(steps)
        for update in (3, 6):
            save(run, update)
        ended = forked(lambda run=run, step=steps: (killed_at(step), save(run, 9)))  # type: ignore[misc]
        assert load_model(run).model is not None
        assert_what_is_named_is_there(run)
        found = resume(run)
        assert found is not None
        assert found.record["update"] in ((9,) if ended == 0 else (6, 9))
        save(run, 12)
        assert json.loads((run / "best.json").read_text())["update"] == 12
        assert not [path for path in (run / "checkpoints").iterdir() if path.name.startswith(".")]
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        steps += 1
    assert steps > 20


@pytest.mark.long
def test_a_kill_at_any_step_of_a_save_changes_nothing_in_the_end(data: Path, straight: Path, tmp_path: Path) -> None:
    original = running.Trainer._checkpoint

    def killed_in_the_second_save(number: int, run: Path) -> None:
        def checkpoint(self: running.Trainer, *arguments: object, **named: object) -> Path | None:
            if self.progress.position.update == 6:
                killed_at(number)
            return original(self, *arguments, **named)  # type: ignore[arg-type]

        running.Trainer._checkpoint = checkpoint  # type: ignore[method-assign]
        train(CONFIG, TrainOptions(data, run))

    step = 0
    while True:
        run = tmp_path / str(step)
        ended = forked(lambda step=step, run=run: killed_in_the_second_save(step, run))  # type: ignore[misc]
        assert forked(lambda run=run: train(CONFIG, TrainOptions(data, run))) == 0  # type: ignore[misc]
        assert_same(straight, run)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        step += 3
    assert step > 30


@pytest.mark.long
def test_a_kill_before_the_first_save_leaves_a_run_that_starts(data: Path, straight: Path, tmp_path: Path) -> None:
    def killed(number: int, run: Path) -> None:
        killed_at(number)
        train(CONFIG, TrainOptions(data, run))

    for step in (0, 2, 4, 8):
        run = tmp_path / str(step)
        assert forked(lambda step=step, run=run: killed(step, run)) == -signal.SIGKILL  # type: ignore[misc]
        assert forked(lambda run=run: train(CONFIG, TrainOptions(data, run))) == 0  # type: ignore[misc]
        assert_same(straight, run)


def soak(data: Path, run: Path, kills: int, longest: float) -> tuple[int, int]:
    """Kill a training that often at random times, half of the times in order; how often it ended and was killed so."""
    draw = random.Random(kills)
    config = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"max_updates": 20 * kills})})
    ended = [0, 0]
    for _ in range(kills):
        child = start(lambda: train(config, TrainOptions(data, run)))
        time.sleep(draw.uniform(0.02, longest))
        number = draw.choice([signal.SIGKILL, signal.SIGTERM])
        os.kill(child, number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (-signal.SIGKILL, -signal.SIGTERM, 143, 0)
        ended[code == 143] += 1
    assert forked(lambda: train(config, TrainOptions(data, run))) == 0
    never = run.with_name("never-killed")
    assert forked(lambda: train(config, TrainOptions(data, never))) == 0
    assert_same(never, run)
    return ended[0], ended[1]


def test_five_kills_at_random_times_change_nothing(data: Path, tmp_path: Path) -> None:
    assert sum(soak(data, tmp_path / "run", 5, 0.6)) == 5


@pytest.mark.long
def test_two_hundred_kills_at_random_times_change_nothing(data: Path, tmp_path: Path) -> None:
    at_once, in_order = soak(data, tmp_path / "run", 200, 0.6)
    assert min(at_once, in_order) > 20
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert len({(row["kind"], row["update"]) for row in rows}) == len(rows)
