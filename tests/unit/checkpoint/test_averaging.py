"""The average of models is the mean of their weights, and only of models that can be averaged."""

from pathlib import Path

import pytest
import torch

from s2s.checkpoint import average, load_model, unique
from s2s.checkpoint.tuned import FILE
from s2s.errors import ModelError, UsageError
from tests.tiny import CONFIG, write_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    return [write_model(folder / str(seed), seed, updates=10 * seed) for seed in (1, 2, 3)]


def test_weights_are_the_mean_and_the_record_says_so(models: list[Path], tmp_path: Path) -> None:
    average(models, tmp_path / "mean")
    mean = load_model(tmp_path / "mean")
    parts = [unique(load_model(path).model) for path in models]
    for name, tensor in unique(mean.model).items():
        expected = sum(part[name].double() for part in parts) / 3
        torch.testing.assert_close(tensor.double(), expected, rtol=1e-7, atol=1e-9)
    assert mean.info.training.averaged == ("1", "2", "3")
    assert mean.info.training.updates == 30
    assert mean.info.training.dev == ()
    assert "the mean of those of 1, 2, 3" in (tmp_path / "mean" / "README.md").read_text()


def test_the_mean_of_one_model_twice_is_that_model(models: list[Path], tmp_path: Path) -> None:
    average([models[0], models[0]], tmp_path / "mean")
    assert (tmp_path / "mean" / "model.safetensors").read_bytes() == (models[0] / "model.safetensors").read_bytes()


def test_what_was_tuned_for_a_model_is_not_that_of_the_mean(
    models: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tuned = write_model(tmp_path / "tuned", seed=4)
    average([models[0], tuned], tmp_path / "untold")
    assert capsys.readouterr().err == ""
    (tuned / FILE).write_text("{}")
    average([models[0], tuned], tmp_path / "mean")
    assert f"does not hold for their average: run `s2s tune {tmp_path / 'mean'}`" in capsys.readouterr().err
    assert not (tmp_path / "mean" / FILE).exists()


def test_unequal_configs_are_refused(models: list[Path], tmp_path: Path) -> None:
    other = write_model(tmp_path / "other", config=CONFIG.model_copy(update={"bridge": "last"}))
    with pytest.raises(UsageError, match="unequal configs"):
        average([models[0], other], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_one_model_or_an_output_that_exists_is_refused(models: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two models or more"):
        average(models[:1], tmp_path / "mean")
    with pytest.raises(UsageError, match="exists already"):
        average(models, tmp_path)


def test_a_damaged_model_is_named_and_nothing_written(models: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="absent"):
        average([models[0], tmp_path / "absent"], tmp_path / "mean")
    assert list(tmp_path.iterdir()) == []
