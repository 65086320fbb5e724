"""`s2s info` and `s2s average` through the command's own entry point."""

import json
import re
from pathlib import Path

import pytest
import torch

from s2s.cli.main import main
from s2s.data.prepared import open_data
from s2s.evaluation.scores import bleu
from s2s.export import export_onnx
from s2s.hardware import has_bfloat16, has_int8
from s2s.inference import load
from tests.digits import prepare_digits
from tests.tiny import write_model
from tests.tones import prepare_tones


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


@pytest.mark.parametrize("kind", ["text", "audio"])
def test_info_compares_precisions_on_data(
    kind: str, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = project / "tests" / "golden" / kind
    prepare, rate = (prepare_digits, "BLEU") if kind == "text" else (prepare_tones, "WER")
    data = prepare(tmp_path, {"train": 40, "dev": 12, "test": 5})
    assert main(["info", str(model), "--data", str(data), "--json"]) == 0
    rows = {row["precision"]: row for row in json.loads(capsys.readouterr().out)["precisions"]}
    assert ("int8" in rows, "bfloat16" in rows) == (has_int8(), has_bfloat16(torch.device("cpu")))
    exact = rows["float32"]
    assert (exact["difference"], exact["speed"], exact["metric"]) == (0, 1, rate)
    for row in rows.values():
        assert row["difference"] == row["value"] - exact["value"]
        assert abs(row["difference"]) < 15
        assert row["speed"] > 0
    scored = load(model)
    if kind == "text":
        part = open_data(data).segments("dev")
        texts = [one.text for one in scored.translate(part.column("source"))]  # type: ignore[attr-defined, union-attr]
        assert exact["value"] == bleu(texts, [part.references()]).value
    assert main(["info", str(model), "--data", str(data)]) == 0
    assert re.search(rf"float32 +{rate} {exact['value']:.2f}$", capsys.readouterr().out, re.MULTILINE)


def test_info_decodes_with_graphs_in_their_only_precision(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_onnx(project / "tests" / "golden" / "text", tmp_path / "graphs")
    data = prepare_digits(tmp_path, {"train": 40, "dev": 5, "test": 5})
    assert main(["info", str(tmp_path / "graphs"), "--data", str(data), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["precisions"]
    assert (row["precision"], row["metric"], row["difference"]) == ("float32", "BLEU", 0)


def test_info_on_data_of_the_other_kind_is_one_sentence(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = prepare_digits(tmp_path, {"train": 40, "dev": 5, "test": 5})
    assert main(["info", str(project / "tests" / "golden" / "audio"), "--data", str(data)]) == 2
    assert "holds other data than the model reads" in capsys.readouterr().err.splitlines()[-1]
