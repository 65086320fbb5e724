"""cells.py: every kind of cell trained, scored and timed, and the table of them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from recipes.ablations import read_plan
from recipes.translation import cells
from recipes.translation.tables import cells_table
from s2s.config import RunConfig, read_config
from tests.digits import prepare_digits


def test_the_plan_differs_in_the_cells_alone() -> None:
    plan = read_plan(cells.PLAN)
    named = [cells.cell_of(plan, trial) for trial in plan.trials if trial.seed == 1]
    assert named == ["lstm", "gru", "elman", "min-gru"]
    for trial in plan.trials:
        config = read_config(plan.config, [*plan.shared, *trial.row])
        assert isinstance(config, RunConfig)
        assert config.model.encoder.cell == config.model.decoder.cell
        assert len(trial.row) in (0, 2)


def test_cells_are_trained_scored_and_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.toml").write_text(
        "[model]\nembedding_width = 16\nencoder.width = 16\ndecoder.width = 16\n[training]\nbatch_tokens = 400\n"
    )
    (tmp_path / "cells.toml").write_text(
        'config = "small.toml"\nshared = ["training.max_updates=2"]\nseeds = [1]\n'
        'rows = [["model.encoder.cell=min-gru", "model.decoder.cell=min-gru"]]\n'
    )
    monkeypatch.setattr(cells, "PLAN", tmp_path / "cells.toml")
    data = prepare_digits(tmp_path / "digits")
    options = [
        "--data",
        str(data),
        "--output",
        str(tmp_path / "runs"),
        "--jobs",
        "1",
        "--rounds",
        "1",
        "--seconds",
        "2",
    ]
    result = CliRunner().invoke(cells.command, options)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "runs" / "cells.json").read_text())
    lstm, light = found["scores"]
    assert (lstm["cell"], light["cell"]) == ("lstm", "min-gru")
    assert light["parameters"] < lstm["parameters"]
    assert all(one["training"] > 0 and one["decoding"] > 0 for one in found["speeds"])
    assert len(cells_table(found).splitlines()) == 6


def test_ratios_are_taken_within_a_round_and_bleu_over_seeds() -> None:
    def run(cell: str, score: float) -> dict[str, object]:
        return {"cell": cell, "parameters": 1000, "parts": {"test": {"score": score, "signature": "bleu|v:1"}}}

    def speed(cell: str, training: float, decoding: float) -> dict[str, object]:
        return {"cell": cell, "training": training, "decoding": decoding}

    found = {
        "scores": [run("lstm", 30), run("gru", 20), run("lstm", 32), run("gru", 24)],
        "speeds": [
            *(speed("lstm", 100, 10), speed("gru", 200, 5)),
            *(speed("lstm", 1000, 10), speed("gru", 3000, 30)),
            *(speed("lstm", 100, 10), speed("gru", 250, 20)),
        ],
    }
    _, _, lstm, gru, _, signature = cells_table(found).splitlines()
    assert lstm == "| lstm | 1,000 | 100 | 1.00 | 10 | 1.00 | 31.00 (30.00 to 32.00) |"
    assert gru == "| gru | 1,000 | 250 | 2.50 | 20 | 2.00 | 22.00 (20.00 to 24.00) |"
    assert signature == "- BLEU: `bleu|v:1`"
