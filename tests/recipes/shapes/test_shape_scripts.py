"""train.py and evaluate.py of recipes/shapes: a run from end to end, and what they refuse."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipes import readmes
from recipes.shapes import evaluate, train
from recipes.shapes.fitting import fingerprint
from recipes.shapes.kinds import parse_shape
from recipes.shapes.tables import tables
from recipes.shapes.task import Headline, Part
from s2s.config import read_document
from s2s.data.labelled import Examples
from s2s.errors import ConfigError, UsageError
from s2s.files import write_json
from tests.recipes.shapes.running import SHAPES, read_small, run_small, scores_of

CONFIG = "tagging/alternation.toml"
SHORT = ("data.length=6", "data.train=40", "data.dev=10", "data.test=20")


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(readmes.HERE.parent)}
    command = [sys.executable, str(SHAPES / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_from_a_config_to_a_score(tmp_path: Path) -> None:
    """In processes of their own: the score needs nothing but the run."""
    run = tmp_path / "run"
    sets = [f"--set={one}" for one in (*SHORT, "training.max_updates=80", "training.batch_tokens=80")]
    trained = script("train.py", str(SHAPES / CONFIG), "--output", str(run), *sets, "--set=seed=4", "--threads=1")
    assert trained.returncode == 0, trained.stderr
    scored = script("evaluate.py", str(run))
    assert scored.returncode == 0, scored.stderr
    result = json.loads((run / "results.json").read_text())
    assert (result["corpus"], result["languages"], result["seed"]) == ("random bits", "length 6", 4)
    assert result["config"].startswith("alternation.toml data.length=6")
    assert "seed" not in result["config"]
    assert result["headline"]["score"] == scores_of(result)["model"]["outputs"] > 90
    assert result["beats"] == {"most frequent after the input": True}
    assert f"outputs {result['headline']['score']:.4g}" in scored.stdout
    again = script("train.py", str(SHAPES / CONFIG), "--output", str(run))
    assert again.returncode == 2
    assert again.stderr.strip().endswith(f"{run} exists already. Name another folder, or remove it.")


def test_the_same_seed_trains_the_same_model(tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        found.append(run_small(CONFIG, tmp_path / name, *SHORT)["parts"])
    assert found[0] == found[1]


def test_a_run_is_known_by_its_training_and_dev_data() -> None:
    _, task = read_small(CONFIG, *SHORT)
    found = {fingerprint(replace(task, **{part: Examples(task.test.pairs)})) for part in ("train", "dev")}
    assert len({fingerprint(task), *found}) == 3
    assert fingerprint(read_small(CONFIG, *SHORT)[1]) == fingerprint(task)


def test_a_run_of_other_data_is_refused(tmp_path: Path) -> None:
    run_small(CONFIG, tmp_path, *SHORT)
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    write_json(tmp_path / "run/manifest.json", manifest | {"data_sha256": "0"})
    with pytest.raises(UsageError, match="other data than this"):
        evaluate.command.main([str(tmp_path / "run")], standalone_mode=False)
    write_json(tmp_path / "run/manifest.json", manifest | {"finished": False})
    with pytest.raises(UsageError, match="not a finished run"):
        evaluate.command.main([str(tmp_path / "run")], standalone_mode=False)
    with pytest.raises(UsageError, match=r"not a training run: manifest\.json is missing"):
        evaluate.command.main([str(tmp_path)], standalone_mode=False)


def test_a_recorded_result_goes_into_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[tuple[str, Any]] = []
    monkeypatch.setattr(evaluate, "record_result", lambda *found: recorded.append(found))
    run_small(CONFIG, tmp_path, *SHORT)
    evaluate.command.main([str(tmp_path / "run"), "--record"], standalone_mode=False)
    ((recipe, result),) = recorded
    assert recipe == "shapes/tagging"
    parts = tables([result], [])
    assert "| random bits length 6 |" in parts["results"]
    assert "- outputs: `outputs that are right, in percent`" in parts["results"]
    assert f"| {result['parameters']:,} |" in parts["runs"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.kind=tags", r"data\.kind is one of languages, digits, .*'tags'"),
        ("data.kind=['tags']", r"data\.kind is one of languages, digits, .*\['tags'\]"),
        ("data.lenght=3", r"unknown key data\.lenght: did you mean length\?"),
        ("model.cell=lstn", r"model\.cell"),
        ("training.validation_metric=bleu", 'scores texts: set it to "loss"'),
        ("training.averaging=best", 'set it to "ema" or "none"'),
        ("training.truncation=3", r"training\.truncation has no effect here: remove it"),
        ("training.batch_frames=3", r"training\.batch_frames has no effect here"),
        ("regularisation.source_word_dropout=0.5", r"source_word_dropout has no effect on this model: set it to 0"),
        ("regularisation.subword_sampling=0.5", "subword_sampling has no effect on this model"),
    ],
)
def test_wrong_options_are_clear_errors(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read_small(CONFIG, override)


@pytest.mark.parametrize(
    ("config", "overrides", "message"),
    [
        ("forecasting/series.toml", ["regularisation.label_smoothing=0.1"], "no effect on values: set it to 0"),
        (
            "classification/digits.toml",
            ["model.encoder.cell=min-gru", "regularisation.weight_dropout=0.2"],
            "weight_dropout has no effect on min-gru",
        ),
        ("memory/memory.toml", ["model.cell=min-gru", "regularisation.weight_dropout=0.2"], "no effect on min-gru"),
        ("memory/memory.toml", ["model.cell=min-gru", "model.gain=2.0"], "gain has no effect on min-gru"),
        *(
            (
                "memory/memory.toml",
                [f"regularisation.{name}=0.2"],
                rf"regularisation\.{name} has no effect on this model",
            )
            for name in ("embedding_dropout", "layer_dropout", "output_dropout", "weight_dropout")
        ),
        *(
            (config, ["regularisation.layer_dropout=0.2"], r"regularisation\.layer_dropout has no effect on this model")
            for config in ("tagging/alternation.toml", "generation/numbers.toml", "forecasting/series.toml")
        ),
    ],
)
def test_what_has_no_effect_on_a_model_is_refused(config: str, overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_shape(read_document(SHAPES / config, overrides), config)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ("tagging/alternation.toml", "model.layers=2"),
        ("generation/numbers.toml", "model.layers=2"),
        ("forecasting/series.toml", "model.pooling=mean"),
        ("forecasting/series.toml", "model.encoder.layers=2"),
    ],
)
def test_dropout_between_layers_acts_where_there_is_a_between(config: str, key: str) -> None:
    """In training the same batch has two losses, then."""
    _, task = read_small(config, key, "regularisation.layer_dropout=0.5")
    model = task.model()
    objective, batch = task.objective(model), task.collate(task.train.pairs[:3], range(3), task.train.multiple)
    assert objective(batch, 0.0)["loss"].item() != objective(batch, 0.0)["loss"].item()


def test_a_budget_must_be_given(tmp_path: Path) -> None:
    document = read_document(SHAPES / CONFIG)
    del document["training"]["batch_tokens"]
    (tmp_path / "a.toml").write_text(
        "[data]\nkind = 'alternation'\n[model]\nfrontend = 'vectors'\n[training]\nmax_updates=1"
    )
    with pytest.raises(ConfigError, match=r"training\.batch_tokens is missing"):
        train.command.main([str(tmp_path / "a.toml"), "--output", str(tmp_path / "run")], standalone_mode=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("config", ["forecasting/series.toml", "generation/numbers.toml", CONFIG, "memory/memory.toml"])
def test_a_folder_without_effect_is_refused(config: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="made by formula"):
        read_small(config, from_dir=tmp_path)


def test_a_lower_error_beats_a_higher_one() -> None:
    headline = Headline("RMSE", "root", "lower", ("last",))
    for own, beaten in ((0.1, True), (0.3, False), (0.2, False)):
        parts = {"test": Part(3, {"model": {"RMSE": own}, "last": {"RMSE": 0.2}})}
        parts["a harder one"] = Part(3, {"model": {"RMSE": 0.9}, "last": {"RMSE": 0.8}})
        assert evaluate.summarise(parts, headline)["beats"] == {"last": beaten}


@pytest.mark.parametrize(
    "recipe", [name for name in readmes.recipes_with(readmes.RESULTS) if name.startswith("shapes/")]
)
def test_every_recorded_run_beats_its_baselines(recipe: str) -> None:
    results = json.loads((readmes.HERE / recipe / readmes.RESULTS).read_text())
    assert all(result["beats"] and all(result["beats"].values()) for result in results)
    seeds: dict[str, set[int]] = {}
    for result in results:
        seeds.setdefault(result["corpus"] + result["languages"], set()).add(result["seed"])
    assert all(len(found) >= 3 for found in seeds.values())
