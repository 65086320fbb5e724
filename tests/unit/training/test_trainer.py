"""What a run does beside its updates: validations, the choice of the best, patience, averages, other starts."""

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import s2s
from s2s.checkpoint import DevScore, load_model, read_info, resolve, unique
from s2s.config import RunConfig, parse
from s2s.errors import ConfigError, NonFiniteError
from s2s.training import run as running
from s2s.training import validation
from s2s.training.check import check_run
from s2s.training.manifest import source_commit
from s2s.training.report import read_rows
from s2s.training.run import TrainOptions, train
from s2s.training.validation import Validation, Validator
from tests.digits import prepare_digits

SMALL = {
    "model": {"embedding_width": 16, "encoder": {"width": 16}, "decoder": {"width": 16}},
    "training": {"max_updates": 6, "batch_tokens": 400, "validation_interval": 2, "warmup_updates": 1},
}


def config(**training: object) -> RunConfig:
    return parse(RunConfig, {**SMALL, "training": {**SMALL["training"], **training}}, "test")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_digits(tmp_path_factory.mktemp("digits"))


def scores(values: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let validations give these BLEU scores, one after another."""
    given = iter(values)
    monkeypatch.setattr(
        Validator,
        "__call__",
        lambda self, model: Validation(1.0, scores={"bleu": DevScore(metric="BLEU", value=next(given))}),
    )


def kept(data: Path) -> int:
    return int(json.loads((data / "manifest.json").read_text())["parts"]["train"]["kept"])


def updates(run: Path) -> list[int]:
    return sorted(int(path.name) for path in (run / "checkpoints").iterdir())


def named(run: Path, name: str) -> int:
    return int(json.loads((run / f"{name}.json").read_text())["update"])


def test_best_and_last_and_the_k_best_stay(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores([3.0, 9.0, 5.0, 1.0, 2.0], monkeypatch)
    train(config(max_updates=10, keep_best=2), TrainOptions(data, tmp_path / "run"))
    assert named(tmp_path / "run", "best") == 4
    assert named(tmp_path / "run", "last") == 10
    assert {4, 6, 10} <= set(updates(tmp_path / "run"))
    assert 2 not in updates(tmp_path / "run")
    assert resolve(tmp_path / "run").name == "4"


def test_patience_ends_the_run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores([3.0, 4.0, 4.0, 3.9, 100.0], monkeypatch)
    train(config(max_updates=10, patience=2), TrainOptions(data, tmp_path / "run"))
    assert named(tmp_path / "run", "last") == 8
    assert named(tmp_path / "run", "best") == 4


def test_loss_can_choose_the_best(data: Path, tmp_path: Path) -> None:
    train(config(validation_metric="loss"), TrainOptions(data, tmp_path / "run"))
    rows = [row for row in read_rows(tmp_path / "run" / "metrics.jsonl") if row["kind"] == "validation"]
    assert named(tmp_path / "run", "best") == min(rows, key=lambda row: row["loss"])["update"]
    assert all("bleu" not in row for row in rows)


def test_shipped_weights_are_the_moving_average(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=2, ema_decay=0.5), TrainOptions(data, tmp_path / "run"))
    folder = tmp_path / "run" / "checkpoints" / "2"
    state, shipped = load_file(folder / "training.safetensors"), load_file(folder / "model.safetensors")
    assert not torch.equal(shipped["output.bias"], state["weight.output.bias"])
    assert any(torch.equal(shipped["output.bias"], value) for name, value in state.items() if "average" in name)


def test_average_of_the_best_is_their_mean(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores([3.0, 9.0, 5.0, 9.5], monkeypatch)
    train(config(averaging="best", keep_best=2), TrainOptions(data, tmp_path / "run"))
    run = tmp_path / "run"
    assert named(run, "best") == named(run, "last") == 7
    weights = [unique(load_model(run / "checkpoints" / str(update)).model) for update in (4, 6)]
    averaged = unique(load_model(run).model)
    for name, tensor in averaged.items():
        torch.testing.assert_close(tensor, (weights[0][name] + weights[1][name]) / 2)


def test_epochs_and_minutes_limit_a_run(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=None, max_epochs=2), TrainOptions(data, tmp_path / "epochs"))
    record = json.loads(
        (resolve(tmp_path / "epochs").parent / str(named(tmp_path / "epochs", "last")))
        .joinpath("training.json")
        .read_text()
    )["record"]
    assert (record["position"]["epoch"], record["position"]["segments"]) == (1, kept(data))
    train(config(max_updates=None, max_minutes=0.02), TrainOptions(data, tmp_path / "minutes"))
    assert json.loads((tmp_path / "minutes" / "manifest.json").read_text())["minutes"] >= 0.02


def test_manifest_and_model_tell_how_the_run_was_made(data: Path, tmp_path: Path) -> None:
    train(config(), TrainOptions(data, tmp_path / "run", threads=1))
    manifest: dict[str, Any] = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["finished"] is True
    assert manifest["seed"] == 1
    assert manifest["threads"] == 1
    assert manifest["config"]["training"]["max_updates"] == 6
    assert manifest["versions"]["torch"] == torch.__version__
    info = read_info(resolve(tmp_path / "run"))
    assert info.training.segments == kept(data)
    assert info.training.data == manifest["data_sha256"]
    assert [score.metric for score in info.training.dev] == ["BLEU", "loss"]
    assert (tmp_path / "run" / "metrics.png").stat().st_size > 1000
    again = parse(RunConfig, manifest["config"], "manifest")
    assert again == config()


def test_starting_from_a_model_keeps_its_weights_and_tokenizer(data: Path, tmp_path: Path) -> None:
    train(config(), TrainOptions(data, tmp_path / "first"))
    other = prepare_digits(tmp_path / "other", {"train": 50, "dev": 5, "test": 5})
    start = config(max_updates=1, learning_rate=1e-9, averaging="none")
    train(start, TrainOptions(other, tmp_path / "second", start=tmp_path / "first"))
    before, after = load_model(tmp_path / "first"), load_model(tmp_path / "second")
    assert after.codec.source.model == before.codec.source.model
    torch.testing.assert_close(
        unique(after.model)["output.bias"], unique(before.model)["output.bias"], atol=1e-6, rtol=0
    )


def test_starting_from_a_model_of_another_shape_is_refused(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=1), TrainOptions(data, tmp_path / "first"))
    wider = parse(RunConfig, {**SMALL, "model": {**SMALL["model"], "embedding_width": 24}}, "test")
    with pytest.raises(ConfigError, match=r"model\.embedding_width was 16, is 24"):
        train(wider, TrainOptions(data, tmp_path / "second", start=tmp_path / "first"))


def test_check_tells_size_and_time_and_writes_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    check_run(config(), TrainOptions(data, Path("unused")))
    said = capsys.readouterr().err
    assert f"{kept(data)} training segments" in said
    assert "the run: about 6 updates in 0:0" in said
    assert "MiB" in said
    assert list(tmp_path.iterdir()) == []


def test_a_moving_average_without_memory_is_the_weights(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=2, ema_decay=0.0), TrainOptions(data, tmp_path / "run"))
    folder = tmp_path / "run" / "checkpoints" / "2"
    state, shipped = load_file(folder / "training.safetensors"), load_file(folder / "model.safetensors")
    assert torch.equal(shipped["output.bias"], state["weight.output.bias"])


def test_a_kill_after_averaging_does_not_train_the_average(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores([3.0, 2.0, 1.0, 9.0, 9.0], monkeypatch)
    chosen = config(max_updates=20, averaging="best", keep_best=2, patience=2)
    with monkeypatch.context() as killing:
        killing.setattr(running, "plot_curves", lambda metrics, picture: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(chosen, TrainOptions(data, tmp_path / "run"))
    train(chosen, TrainOptions(data, tmp_path / "run"))
    assert named(tmp_path / "run", "last") == 7
    told = read_info(tmp_path / "run" / "checkpoints" / "7").training
    assert (told.averaged, told.updates) == (("2", "4"), 6)


def test_a_loss_of_dev_that_is_no_number_ends_the_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "label_likelihood", lambda *_, **__: (None, torch.tensor(math.nan)))
    with pytest.raises(NonFiniteError, match="dev part"):
        train(config(), TrainOptions(data, tmp_path / "run"))


def test_the_commit_is_that_of_s2s_and_of_no_project_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "venv" / "s2s"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "mine"], check=True)
    monkeypatch.setattr(s2s, "__file__", str(package / "__init__.py"))
    assert source_commit() is None
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "with s2s"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert source_commit() == head
    (package / "__init__.py").write_text("changed")
    assert source_commit() == f"{head}+changes"
