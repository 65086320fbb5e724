"""Interrupted and resumed equals uninterrupted, bit for bit."""

import json
import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals
from typing import Any

import pytest
import torch

from s2s.config import RunConfig, parse
from s2s.errors import ConfigError, Stopped, UsageError
from s2s.files import locked
from s2s.training import run as running
from s2s.training.run import TrainOptions, train
from s2s.training.steps import Updater
from tests.digits import prepare_digits
from tests.reliability.runs import AUDIO, SMALL, assert_same, last
from tests.reliability.runs import small_config as config


def stop_after(updates: int, monkeypatch: pytest.MonkeyPatch, received: Signals = SIGTERM) -> None:
    """Let the next run get a signal after that many of its updates."""
    original = running.polite_stop
    calls = iter(range(1, 10**6))

    def stop() -> Signals | None:
        return received if next(calls) >= updates else None

    class Context:
        def __enter__(self) -> Callable[[], Signals | None]:
            return stop

        def __exit__(self, *error: object) -> None:
            monkeypatch.setattr(running, "polite_stop", original)

    monkeypatch.setattr(running, "polite_stop", Context)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("settings", "stops"),
    [
        ({}, [7]),  # in the middle of the first epoch
        ({}, [5]),  # right after a validation
        ({"batch_tokens": 1000}, [2, 3]),  # several epochs, and two stops
        ({"accumulation": 3}, [4]),
        ({"averaging": "best", "keep_best": 2}, [7]),
        ({"averaging": "none", "schedule": "inverse-sqrt"}, [3]),
    ],
)
def test_resumed_equals_uninterrupted(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, object],
    stops: list[int],
    workers: int,
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(config(**settings), TrainOptions(data, straight))
    for updates in stops:
        stop_after(updates, monkeypatch)
        with pytest.raises(Stopped):
            train(config(**settings), TrainOptions(data, broken, workers=workers))
    train(config(**settings), TrainOptions(data, broken, workers=workers))
    assert_same(straight, broken)


def test_resumed_with_subword_sampling_equals_uninterrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from s2s.data.prepare_text import PrepareTextOptions, prepare_text
    from tests.digits import write_pairs

    parts = write_pairs(tmp_path / "text")
    prepare_text(PrepareTextOptions(parts, ("ahead", "back"), tmp_path / "data"))
    sampled = parse(RunConfig, {**SMALL, "regularisation": {"subword_sampling": 0.3}}, "test")
    train(sampled, TrainOptions(tmp_path / "data", tmp_path / "straight"))
    stop_after(8, monkeypatch)
    with pytest.raises(Stopped):
        train(sampled, TrainOptions(tmp_path / "data", tmp_path / "broken"))
    train(sampled, TrainOptions(tmp_path / "data", tmp_path / "broken"))
    assert_same(tmp_path / "straight", tmp_path / "broken")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("settings", "stops"),
    [
        ({}, [3]),
        ({"shortest_first": True, "batch_frames": 900}, [1, 4]),
        ({"accumulation": 2, "averaging": "best"}, [2]),
    ],
)
def test_resumed_on_audio_equals_uninterrupted(
    tones: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, object],
    stops: list[int],
    workers: int,
) -> None:
    """With augmentation, and with CTC's share on its way down."""
    chosen = parse(RunConfig, {**AUDIO, "training": {**AUDIO["training"], **settings}}, "test")
    train(chosen, TrainOptions(tones, tmp_path / "straight"))
    for updates in stops:
        stop_after(updates, monkeypatch)
        with pytest.raises(Stopped):
            train(chosen, TrainOptions(tones, tmp_path / "broken", workers=workers))
    train(chosen, TrainOptions(tones, tmp_path / "broken", workers=workers))
    assert_same(tmp_path / "straight", tmp_path / "broken")


@pytest.mark.parametrize(("workers", "device", "expected"), [(None, "cpu", 0), (None, "cuda", 2), (0, "cuda", 0)])
def test_by_default_data_for_a_gpu_is_loaded_by_two(workers: int | None, device: str, expected: int) -> None:
    options = TrainOptions(Path(), Path(), device=device, workers=workers)
    assert running._workers(options, torch.device(device)) == expected


def test_as_many_processes_load_as_were_asked_for(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    original = Updater.__call__

    def update(self: Updater, *arguments: Any) -> Any:
        seen.append(len(multiprocessing.active_children()))
        return original(self, *arguments)

    monkeypatch.setattr(Updater, "__call__", update)
    train(config(max_updates=2), TrainOptions(data, tmp_path / "run", workers=3))
    assert seen == [3, 3]
    assert not multiprocessing.active_children()


def test_another_seed_gives_another_model(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=2), TrainOptions(data, tmp_path / "one"))
    train(config(max_updates=2).model_copy(update={"seed": 2}), TrainOptions(data, tmp_path / "two"))
    one, two = last(tmp_path / "one"), last(tmp_path / "two")
    assert not torch.equal(one["output.bias"], two["output.bias"])


@pytest.mark.parametrize(("received", "code"), [(SIGINT, 130), (SIGTERM, 143)])
def test_a_stop_carries_the_exit_code_of_its_signal(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, received: Signals, code: int
) -> None:
    stop_after(1, monkeypatch, received)
    with pytest.raises(Stopped) as stopped:
        train(config(), TrainOptions(data, tmp_path / "run"))
    assert stopped.value.exit_code == code
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["finished"] is False


def test_a_finished_run_is_left_as_it_is(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=2), TrainOptions(data, tmp_path / "run"))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    train(config(max_updates=2), TrainOptions(data, tmp_path / "run"))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


@pytest.mark.parametrize("stopped", [True, False])
def test_a_run_may_go_on_longer(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: bool) -> None:
    """Without a schedule that knows the end, as if the limit had been there from the start."""
    settings = {"schedule": "inverse-sqrt", "keep_best": 2}
    train(config(**settings, max_updates=20, patience=9), TrainOptions(data, tmp_path / "straight"))
    if stopped:
        stop_after(7, monkeypatch)
        with pytest.raises(Stopped):
            train(config(**settings), TrainOptions(data, tmp_path / "run"))
    else:
        train(config(**settings, max_updates=10), TrainOptions(data, tmp_path / "run"))
    train(config(**settings, max_updates=20, patience=9), TrainOptions(data, tmp_path / "run"))
    assert_same(tmp_path / "straight", tmp_path / "run")
    manifests = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("straight", "run")]
    assert manifests[0]["config"] == manifests[1]["config"]
    assert manifests[0]["config_sha256"] == manifests[1]["config_sha256"]
    assert all(manifest["finished"] for manifest in manifests)
    assert (tmp_path / "run" / "config.toml").read_text() == (tmp_path / "straight" / "config.toml").read_text()


def test_the_mean_of_the_best_is_the_end(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=5, averaging="best"), TrainOptions(data, tmp_path / "run"))
    with pytest.raises(ConfigError, match=r"training\.max_updates was 5, is 20"):
        train(config(max_updates=20, averaging="best"), TrainOptions(data, tmp_path / "run"))


def test_a_run_from_before_a_key_existed_has_its_default(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=2), TrainOptions(data, tmp_path / "run"))
    path = tmp_path / "run" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["config"]["regularisation"]["target_word_dropout"]
    path.write_text(json.dumps(manifest))
    train(config(max_updates=2), TrainOptions(data, tmp_path / "run"))
    with pytest.raises(ConfigError, match=r"another config: training\.clip_norm was 1\.0, is 2\.0\."):
        train(config(max_updates=2, clip_norm=2.0), TrainOptions(data, tmp_path / "run"))


def test_data_prepared_anew_is_refused(data: Path, tmp_path: Path) -> None:
    train(config(max_updates=2), TrainOptions(data, tmp_path / "run"))
    other = prepare_digits(tmp_path / "other", {"train": 100, "dev": 5, "test": 5})
    with pytest.raises(ConfigError, match="was prepared anew"):
        train(config(max_updates=2), TrainOptions(other, tmp_path / "run"))


@pytest.mark.parametrize("name", ["training.safetensors", "model.safetensors"])
def test_a_damaged_last_checkpoint_costs_the_updates_since_the_one_before(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    train(config(), TrainOptions(data, tmp_path / "straight"))
    stop_after(7, monkeypatch)
    with pytest.raises(Stopped):
        train(config(), TrainOptions(data, tmp_path / "broken"))
    file = tmp_path / "broken" / "checkpoints" / "7" / name
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    train(config(), TrainOptions(data, tmp_path / "broken"))
    assert "going on at update 5" in capsys.readouterr().err
    assert_same(tmp_path / "straight", tmp_path / "broken")


def test_two_trainings_in_one_folder_are_refused(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with locked(run, ""), pytest.raises(UsageError, match="Another process trains"):
        train(config(), TrainOptions(data, run))
    shutil.rmtree(run)
    train(config(max_updates=1), TrainOptions(data, run))


def test_another_start_for_the_same_folder_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config(max_updates=1), TrainOptions(data, tmp_path / "start"))
    stop_after(1, monkeypatch)
    with pytest.raises(Stopped):
        train(config(), TrainOptions(data, tmp_path / "run", start=tmp_path / "start"))
    with pytest.raises(ConfigError, match=r"--from was .*start, is no model"):
        train(config(), TrainOptions(data, tmp_path / "run"))
    train(config(), TrainOptions(data, tmp_path / "run", start=tmp_path / "start"))


def test_a_run_whose_manifest_names_no_start_had_none(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those that were begun before the key was written."""
    stop_after(1, monkeypatch)
    with pytest.raises(Stopped):
        train(config(), TrainOptions(data, tmp_path / "run"))
    path = tmp_path / "run" / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["start"]
    path.write_text(json.dumps(manifest))
    train(config(), TrainOptions(data, tmp_path / "run"))
    assert json.loads(path.read_text())["finished"]


def test_a_folder_that_is_no_run_is_left_alone(data: Path, tmp_path: Path) -> None:
    before = sorted(data.iterdir())
    with pytest.raises(UsageError, match=r"is not the folder of a run"):
        train(config(), TrainOptions(data, data))
    assert sorted(data.iterdir()) == before


def test_a_config_that_cannot_be_built_leaves_nothing(data: Path, tmp_path: Path) -> None:
    wrong = parse(RunConfig, {**SMALL, "model": {**SMALL["model"], "attention": {"heads": 7}}}, "test")
    with pytest.raises(ConfigError, match="multiple"):
        train(wrong, TrainOptions(data, tmp_path / "deep" / "run"))
    assert list(tmp_path.iterdir()) == []


def test_every_update_is_measured_once_whatever_happened(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(7, monkeypatch)
    run = tmp_path / "run"
    with pytest.raises(Stopped):
        train(config(), TrainOptions(data, run))
    (run / "checkpoints" / "7" / "training.safetensors").write_bytes(b"")  # so that it goes on from update 5
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "training", "update": 7, "lo')
    train(config(), TrainOptions(data, run))
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["update"] for row in rows if row["kind"] == "validation"] == [5, 10, 12]
    assert len({(row["kind"], row["update"]) for row in rows}) == len(rows)
