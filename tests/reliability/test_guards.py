"""Bad luck costs an update or a checkpoint; a run that cannot become better ends; nothing that was saved is lost."""

import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from s2s.checkpoint import load_model
from s2s.config import RunConfig, parse
from s2s.errors import NonFiniteError, TrainingError
from s2s.training import objectives, steps
from s2s.training.report import append, read_rows
from s2s.training.run import TrainOptions, train
from s2s.training.validation import Validator

SMALL = {
    "model": {"embedding_width": 16, "encoder": {"width": 16}, "decoder": {"width": 16}},
    "training": {"max_updates": 20, "batch_tokens": 200, "validation_interval": 4, "warmup_updates": 3},
}


def config(**training: object) -> RunConfig:
    return parse(RunConfig, {**SMALL, "training": {**SMALL["training"], **training}}, "test")


def last(run: Path) -> int:
    return int(json.loads((run / "last.json").read_text())["update"])


def spoil(is_bad: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the losses of some updates (from 1) be no number."""
    original, calls = objectives.batch_losses, iter(range(1, 10**6))

    def losses(*arguments: Any) -> objectives.Losses:
        found = original(*arguments)
        return {**found, "loss": found["loss"] * float("nan")} if is_bad(next(calls)) else found

    monkeypatch.setattr(objectives, "batch_losses", losses)


def test_updates_that_are_no_numbers_are_skipped(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(lambda update: update % 12 != 1, monkeypatch)  # 11 of 12 would be too many, had the first not been good
    with pytest.raises(NonFiniteError):
        train(config(), TrainOptions(data, tmp_path / "bad"))
    capsys.readouterr()
    monkeypatch.undo()
    spoil(lambda update: 3 <= update <= 12, monkeypatch)
    train(config(), TrainOptions(data, tmp_path / "run"))
    assert capsys.readouterr().err.count("so this update was not made") == 10
    assert last(tmp_path / "run") == 20
    weights = load_model(tmp_path / "run").model.state_dict().values()
    assert all(weight.isfinite().all() for weight in weights)


def test_too_many_of_them_end_the_run_and_the_batch_is_kept(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    spoil(lambda update: update > 5, monkeypatch)
    with pytest.raises(NonFiniteError, match=r"10 updates before it .* kept in .*nonfinite-0\.safetensors"):
        train(config(), TrainOptions(data, run))
    assert last(run) == 12
    kept = load_file(run / "nonfinite-0.safetensors")
    assert kept["0.source"].shape[0] == len(kept["0.target_lengths"])
    assert load_model(run).model is not None
    with pytest.raises(NonFiniteError):  # those before the checkpoint count
        train(config(), TrainOptions(data, run))
    assert last(run) == 12


def test_a_run_that_diverges_ends_before_it_is_saved(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = steps.Updater.__call__, iter(range(1, 10**6))

    def call(self: steps.Updater, *arguments: Any) -> Any:
        if next(calls) == 9:
            with torch.no_grad():
                self.model.output.embedding.weight.normal_(std=30)
        return original(self, *arguments)

    monkeypatch.setattr(steps.Updater, "__call__", call)
    with pytest.raises(TrainingError, match=r"Training diverged: since the last validation its loss is \d"):
        train(config(), TrainOptions(data, tmp_path / "run"))
    assert last(tmp_path / "run") == 8


def test_a_high_loss_at_first_is_no_divergence(data: Path, tmp_path: Path) -> None:
    train(config(learning_rate=0.03, max_updates=60), TrainOptions(data, tmp_path / "run"))
    assert last(tmp_path / "run") == 60


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[set[int]], None]]:
    """Files may have but 20 kB from some validations (from 1) until the next."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    original, calls = Validator.__call__, iter(range(1, 10**6))

    def fill(full: set[int]) -> None:
        def validate(self: Validator, model: Any) -> Any:
            limit = 20_000 if next(calls) in full else before[0]
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            return original(self, model)

        monkeypatch.setattr(Validator, "__call__", validate)

    yield fill
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_a_checkpoint(
    data: Path, tmp_path: Path, disk: Callable[[set[int]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    disk({2, 3})
    train(config(), TrainOptions(data, run))
    said = capsys.readouterr().err
    assert said.count("no room for the checkpoint of update") == 2
    assert said.count("nothing was saved") == 2
    assert sorted(int(path.name) for path in (run / "checkpoints").iterdir()) == [4, 16, 20]
    assert last(run) == 20


def test_a_full_disk_costs_a_row_of_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    append(tmp_path / "full", {"update": 1})
    assert "full has no room for a row (No space left on device)" in capsys.readouterr().err
    rows = tmp_path / "metrics.jsonl"
    for update, limit in enumerate((resource.RLIM_INFINITY, 20, resource.RLIM_INFINITY)):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            append(rows, {"update": update})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [row["update"] for row in read_rows(rows)] == [0, 2]
    with pytest.raises(OSError, match="No such file"):
        append(tmp_path / "absent" / "metrics.jsonl", {"update": 1})


@pytest.mark.parametrize(("full", "kept"), [({2, 3, 4}, 4), ({5}, 16)])
def test_a_disk_that_stays_full_ends_the_run_and_what_was_saved_stays(
    data: Path, tmp_path: Path, disk: Callable[[set[int]], None], full: set[int], kept: int
) -> None:
    run = tmp_path / "run"
    disk(full)
    with pytest.raises(OSError, match="File too large"):
        train(config(), TrainOptions(data, run))
    assert last(run) == kept
    assert not [path for path in (run / "checkpoints").iterdir() if path.name.startswith(".")]
    disk(set())
    train(config(), TrainOptions(data, run))
    assert last(run) == 20


def test_too_little_memory_of_a_gpu_names_the_batch_and_the_setting(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(objectives, "batch_losses", fail)
    with pytest.raises(TrainingError, match=r"a batch of \d+ segments, .* Lower training\.batch_tokens and raise"):
        train(config(), TrainOptions(data, tmp_path / "run"))
