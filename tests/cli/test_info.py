"""`s2s info` and `s2s average` through the command's own entry point."""

import json
from pathlib import Path

import pytest

from s2s.cli.main import main
from tests.tiny import write_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    return [write_model(folder / str(seed), seed) for seed in (1, 2)]


def test_info_says_what_how_and_how_good(models: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(models[0])]) == 0
    page = capsys.readouterr().out
    assert "translation from en to de" in page
    assert "encoder: 2 bidirectional LSTM layers of width 16" in page
    assert "7 updates, seed 1" in page
    assert "BLEU: 12.50 (`nrefs:1`)" in page


def test_info_as_json(models: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(models[0]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["folder"] == str(models[0])
    assert found["languages"] == ["en", "de"]
    assert found["training"]["dev"] == [{"metric": "BLEU", "value": 12.5, "signature": "nrefs:1"}]
    assert found["parameters"] * 4 <= found["files"]["model.safetensors"]["size"]


def test_info_on_something_else_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path} is not a model directory: model.json is missing")


def test_average_writes_a_model(models: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mean"
    assert main(["average", *map(str, models), "--output", str(output)]) == 0
    assert main(["info", str(output)]) == 0
    assert "the mean of those of 1, 2" in capsys.readouterr().out


def test_average_of_one_model_is_wrong_use(models: list[Path], tmp_path: Path) -> None:
    assert main(["average", str(models[0]), "--output", str(tmp_path / "mean")]) == 2
