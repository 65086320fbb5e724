"""The plan of ablations, its runs as processes of their own, and the table made of them."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipes import readmes
from recipes.ablate import command as ablate_command
from recipes.ablations import DATA, Trial, ablation_table, collect, command, read_plan, run_plan
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


def score(row: list[str], seed: int, **metrics: float) -> dict[str, Any]:
    return {
        "row": row,
        "seed": seed,
        "loss": 2.0,
        **metrics,
        **{f"{name}_signature": f"{name}|v:1" for name in metrics},
    }


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
        named = trial.row != () or trial.seed != unchanged.seed
        assert (changed != unchanged) == named or any(change.startswith(DATA) for change in trial.row)


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
    other = replace(plan, shared=(*plan.shared, "model.encoder.width=8"), trials=plan.trials[:1])
    with pytest.raises(S2SError, match="unchanged_seed-1"):
        run_plan(other, data, runs, jobs=1)


def test_the_difference_is_to_the_same_seeds() -> None:
    scores = [score([], 1, bleu=20.0), score(["a=1"], 1, bleu=21.0), score([], 2, bleu=30.0)]
    header, _, unchanged, changed, *rest = ablation_table(scores).splitlines()
    assert header == "| changed | seeds | dev loss | dev BLEU | lowest to highest | difference |"
    assert unchanged == "| nothing | 2 | 2.000 | 25.00 | 20.00 to 30.00 |  |"
    assert changed == "| `a=1` | 1 | 2.000 | 21.00 | 21.00 to 21.00 | +1.00 |"
    assert rest == ["", "- `bleu|v:1`"]


def test_each_metric_of_the_validation_has_its_columns() -> None:
    scores = [score([], 1, wer=20.0, cer=8.0), score(["a=1"], 1, wer=19.0, cer=9.0)]
    lines = ablation_table(scores).splitlines()
    assert lines[3] == "| `a=1` | 1 | 2.000 | 19.00 | 19.00 to 19.00 | -1.00 | 9.00 | 9.00 to 9.00 | +1.00 |"
    assert lines[-2:] == ["- `wer|v:1`", "- `cer|v:1`"]


def test_a_row_may_take_other_data(tmp_path: Path) -> None:
    plan = read_plan(write_plan(tmp_path, '[["data=larger", "model.bridge=zeros"]]', seeds="[1]"))
    unchanged, changed = (command(plan, trial, Path("data/small"), Path("runs")) for trial in plan.trials)
    assert "data/small" in unchanged
    assert "data/larger" in changed
    assert not {"data/small", "data=larger"} & set(changed)
    assert "model.bridge=zeros" in changed


def test_a_wrong_folder_is_told_before_anything_is_trained_and_no_record_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was recorded before stays also when runs fail."""
    folder = tmp_path / "recipes" / "translation"
    folder.mkdir(parents=True)
    write_plan(folder, '[["model.encoder.layers=0"]]', seeds="[1]").rename(folder / "ablations.toml")
    recorded = folder / "ablations.json"
    recorded.write_text("[1]")
    monkeypatch.setattr(readmes, "HERE", folder.parent)

    def ablate(data: Path) -> None:
        arguments = ["translation", "--data", str(data), "--output", str(tmp_path / "runs"), "--jobs", "1"]
        ablate_command.main(arguments, standalone_mode=False)

    with pytest.raises(DataError, match="is not prepared data"):
        ablate(tmp_path / "nowhere")
    assert not (tmp_path / "runs").exists()
    with pytest.raises(S2SError, match="These runs failed"):
        ablate(prepare_digits(tmp_path / "digits"))
    assert recorded.read_text() == "[1]"
