"""Checkpoints of a run: what is named best and last, what is kept, and where training goes on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from s2s.checkpoint import Score, best_checkpoints, publish, resolve, resume, run_directory, save_training_state
from s2s.checkpoint.tuned import FILE, TunedSearch, keep_tuned, tuned_for
from s2s.config import DecodingConfig
from s2s.errors import ModelError


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """These checkpoints hold a training state only: reading a model is tested elsewhere."""
    monkeypatch.setattr(run_directory, "read_info", lambda folder: None)
    monkeypatch.setattr(run_directory, "verify", lambda folder, info: None)


def _writer(update: int) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "model.json").write_text(json.dumps({"update": update}))
        save_training_state(folder, {"update": torch.tensor(update)}, {"update": update})

    return write


def _publish(run: Path, update: int, bleu: float | None, keep_best: int = 1) -> None:
    publish(run, update, _writer(update), None if bleu is None else Score("bleu", bleu), keep_best)


def _kept(run: Path) -> list[int]:
    return sorted(int(path.name) for path in (run / "checkpoints").iterdir())


def _damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_best_and_last_are_named(tmp_path: Path) -> None:
    for update, bleu in [(10, 1.0), (20, 3.0), (30, 2.0)]:
        _publish(tmp_path, update, bleu, keep_best=3)
    assert json.loads((tmp_path / "best.json").read_text()) == {"update": 20, "metric": "bleu", "value": 3.0}
    assert json.loads((tmp_path / "last.json").read_text()) == {"update": 30}
    assert resolve(tmp_path) == tmp_path / "checkpoints" / "20"
    assert [path.name for path in best_checkpoints(tmp_path)] == ["20", "30", "10"]


def test_a_lower_loss_is_better(tmp_path: Path) -> None:
    for update, loss in [(10, 2.0), (20, 1.5), (30, 1.75)]:
        publish(tmp_path, update, _writer(update), Score("loss", loss))
    assert json.loads((tmp_path / "best.json").read_text())["update"] == 20


def test_of_equal_scores_the_earlier_is_best(tmp_path: Path) -> None:
    for update in (9, 10):
        _publish(tmp_path, update, 5.0)
    assert resolve(tmp_path).name == "9"


def test_without_a_score_the_last_is_taken_and_never_called_best(tmp_path: Path) -> None:
    _publish(tmp_path, 10, None)
    _publish(tmp_path, 20, None)
    assert not (tmp_path / "best.json").exists()
    assert resolve(tmp_path).name == "20"


def test_the_best_the_last_and_the_one_before_it_are_kept(tmp_path: Path) -> None:
    for update, bleu in [(1, 9.0), (2, 8.0), (3, 1.0), (4, 2.0), (5, 3.0)]:
        _publish(tmp_path, update, bleu, keep_best=2)
    assert _kept(tmp_path) == [1, 2, 4, 5]


def test_what_a_kill_left_behind_goes(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / ".20.abc").mkdir(parents=True)
    (tmp_path / "checkpoints" / ".20.abc" / "model.safetensors").write_text("half of a")
    _publish(tmp_path, 10, 1.0)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["10"]


def test_a_failure_while_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    _publish(tmp_path, 10, 1.0)

    def fail(folder: Path) -> None:
        (folder / "model.safetensors").write_text("half of a")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        publish(tmp_path, 20, fail, None)
    assert _kept(tmp_path) == [10]
    found = resume(tmp_path)
    assert found is not None
    assert found.record == {"update": 10}


def test_a_stop_before_the_naming_leaves_the_run_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(tmp_path, 10, 1.0)
    with monkeypatch.context() as patch:
        original = run_directory.write_json

        def stop(path: Path, document: object) -> None:
            if path.parent == tmp_path:
                raise KeyboardInterrupt
            original(path, document)

        patch.setattr(run_directory, "write_json", stop)
        with pytest.raises(KeyboardInterrupt):
            _publish(tmp_path, 20, 2.0)
    found = resume(tmp_path)
    assert found is not None
    assert found.folder.name == "10"
    assert resolve(tmp_path).name == "10"
    _publish(tmp_path, 20, 2.0)
    assert resolve(tmp_path).name == "20"


def test_nothing_to_resume_in_a_new_run(tmp_path: Path) -> None:
    assert resume(tmp_path) is None
    assert resume(tmp_path / "absent") is None


def test_resuming_takes_the_last(tmp_path: Path) -> None:
    for update, bleu in [(10, 5.0), (20, 1.0)]:
        _publish(tmp_path, update, bleu)
    found = resume(tmp_path)
    assert found is not None
    assert found.record == {"update": 20}
    assert int(found.tensors["update"]) == 20


@pytest.mark.parametrize("name", ["training.safetensors", "training.json"])
def test_a_damaged_last_checkpoint_is_passed_over_and_said(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for update, bleu in [(10, 1.0), (20, 2.0)]:
        _publish(tmp_path, update, bleu)
    _damage(tmp_path / "checkpoints" / "20" / name)
    found = resume(tmp_path)
    assert found is not None
    assert found.folder.name == "10"
    assert f"checkpoints/20/{name}" in capsys.readouterr().err


def test_a_later_checkpoint_that_was_passed_over_goes(tmp_path: Path) -> None:
    for update, bleu in [(10, 1.0), (20, 99.0)]:
        _publish(tmp_path, update, bleu)
    _damage(tmp_path / "checkpoints" / "20" / "training.json")
    _publish(tmp_path, 15, 2.0)
    assert _kept(tmp_path) == [10, 15]
    assert json.loads((tmp_path / "best.json").read_text())["update"] == 15


def test_only_damaged_checkpoints_are_an_error(tmp_path: Path) -> None:
    _publish(tmp_path, 10, 1.0)
    _damage(tmp_path / "checkpoints" / "10" / "training.json")
    with pytest.raises(ModelError, match="No checkpoint in"):
        resume(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"update": "../../elsewhere"}', '{"update": -1}', '{"update": true}'])
def test_a_damaged_last_json_does_not_stop_resuming(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _publish(tmp_path, 10, None)
    (tmp_path / "last.json").write_text(content)
    found = resume(tmp_path)
    assert found is not None
    assert found.folder.name == "10"
    assert "last.json" in capsys.readouterr().err
    with pytest.raises(ModelError, match=r"last\.json"):
        resolve(tmp_path)


def test_what_is_neither_model_nor_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.json is missing"):
        resolve(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        resolve(tmp_path / "absent")


def test_what_others_put_beside_the_checkpoints_stays(tmp_path: Path) -> None:
    _publish(tmp_path, 10, 1.0)
    folder = tmp_path / "checkpoints"
    (folder / ".DS_Store").write_text("")
    (folder / ".mean.x7").mkdir()
    for left_behind in (".20.abc", ".removed-5"):
        (folder / left_behind).mkdir()
    _publish(tmp_path, 20, 2.0)
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == [".DS_Store", ".mean.x7"]


def test_a_damaged_score_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _publish(tmp_path, 10, 9.0)
    (tmp_path / "checkpoints" / "10" / "score.json").write_text("{")
    _publish(tmp_path, 20, 2.0)
    assert json.loads((tmp_path / "best.json").read_text())["update"] == 20
    assert "score.json" in capsys.readouterr().err


def test_a_new_best_is_told_to_be_untuned_once_and_bears_word_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = TunedSearch(
        decoding=DecodingConfig(), metric="BLEU", value=2, before=1, signature="none", part="dev", data="0"
    )
    folders = [tmp_path / "checkpoints" / str(update) for update in (10, 20, 30, 40, 50)]
    _publish(tmp_path, 10, 5.0)
    keep_tuned(folders[0], found)
    _publish(tmp_path, 20, 4.0)
    assert tuned_for(resolve(tmp_path)).alone == found
    assert capsys.readouterr().err == ""
    _publish(tmp_path, 30, 6.0)
    told = capsys.readouterr().err
    assert f"the best checkpoint is now {folders[2]}, and the search was tuned for {folders[0]}: repeat" in told
    _publish(tmp_path, 40, 7.0)
    assert capsys.readouterr().err == ""
    assert resolve(tmp_path) == folders[3]
    assert tuned_for(folders[3]).alone is None
    assert "was tuned for another model" in capsys.readouterr().err
    keep_tuned(folders[3], found)
    (folders[3] / FILE).write_text("{")
    _publish(tmp_path, 50, 8.0)
    assert "is not JSON" in capsys.readouterr().err
    assert not (folders[4] / FILE).exists()


def test_a_best_that_was_passed_over_is_not_named_any_more(tmp_path: Path) -> None:
    _publish(tmp_path, 10, None)
    _publish(tmp_path, 20, 9.0)
    _damage(tmp_path / "checkpoints" / "20" / "training.safetensors")
    _publish(tmp_path, 15, None)
    assert resolve(tmp_path) == tmp_path / "checkpoints" / "15"
