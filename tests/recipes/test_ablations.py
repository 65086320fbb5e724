"""The plan of ablations, its runs as processes of their own, and the table made of them."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from recipes.ablations import Trial, ablation_table, collect, command, read_plan, run_plan
from s2s.config import read_config
from s2s.errors import DataError, S2SError
from tests.digits import prepare_digits

PLANS = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*/ablations.toml"))


def write_plan(folder: Path, rows: str, seeds: str = "[1, 2]") -> Path:
    (folder / "small.toml").write_text(
        "[model]\nembedding_width = 16\nencoder.width = 16\ndecoder.width = 16\n[training]\nbatch_tokens = 400\n"
    )
    path = folder / "plan.toml"
    path.write_text(f'config = "small.toml"\nshared = ["training.max_updates=2"]\nseeds = {seeds}\nrows = {rows}\n')
    return path


def score(row: list[str], seed: int, bleu: float) -> dict[str, Any]:
    return {"row": row, "seed": seed, "loss": 2.0, "bleu": bleu, "minutes": 3.0}


def test_all_rows_come_before_the_next_seed(tmp_path: Path) -> None:
    plan = read_plan(write_plan(tmp_path, '[["model.bridge=zeros"]]'))
    change = ("model.bridge=zeros",)
    assert plan.trials == (Trial((), 1), Trial(change, 1), Trial((), 2), Trial(change, 2))


def test_a_row_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names a row twice"):
        read_plan(write_plan(tmp_path, '[["a=1"], ["a=1"]]'))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.parent.name)
def test_every_row_of_a_recipe_is_a_config_that_can_be_used(path: Path) -> None:
    plan = read_plan(path)
    unchanged = read_config(plan.config, plan.shared)
    for trial in plan.trials:
        arguments = command(plan, trial, Path("data"), Path("runs"))
        changed = read_config(
            plan.config, [after for option, after in itertools.pairwise(arguments) if option == "--set"]
        )
        assert (changed != unchanged) == (trial.row != () or trial.seed != unchanged.seed)


def test_runs_are_trained_once_collected_and_their_failures_named(tmp_path: Path) -> None:
    data = prepare_digits(tmp_path / "digits")
    plan = read_plan(write_plan(tmp_path, '[["model.encoder.layers=0"]]', seeds="[1]"))
    runs = tmp_path / "runs"
    with pytest.raises(S2SError, match=r"model\.encoder\.layers-0_seed-1"):
        run_plan(plan, data, runs, jobs=1)
    scores = collect(plan, runs, tmp_path / "ablations.json")
    assert [(entry["row"], entry["seed"], entry["update"]) for entry in scores] == [([], 1, 2)]
    before = (runs / "unchanged_seed-1" / "metrics.jsonl").stat().st_mtime_ns
    with pytest.raises(S2SError):
        run_plan(plan, data, runs, jobs=1)
    assert (runs / "unchanged_seed-1" / "metrics.jsonl").stat().st_mtime_ns == before


def test_the_difference_is_to_the_same_seeds() -> None:
    scores = [score([], 1, 20.0), score(["a=1"], 1, 21.0), score([], 2, 30.0)]
    lines = ablation_table(scores).splitlines()
    assert lines[2] == "| nothing | 2 | 2.000 | 25.00 | 20.00 to 30.00 |  | 3.0 |"
    assert lines[3] == "| `a=1` | 1 | 2.000 | 21.00 | 21.00 to 21.00 | +1.00 | 3.0 |"
