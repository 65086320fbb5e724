"""Train one config with every kind of cell, and measure what each costs and what it is worth."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.ablations import Plan, Trial, read_plan, run_plan
from recipes.ablations import command as training_command
from recipes.readmes import write_tables
from recipes.running import run
from recipes.runs import read_manifest
from recipes.translation.evaluate import translate
from s2s.checkpoint.record import read_info
from s2s.checkpoint.run_directory import resolve
from s2s.config import RunConfig, read_config
from s2s.data.parallel_text import TextData, open_text
from s2s.errors import S2SError
from s2s.evaluation.report import score_values
from s2s.evaluation.scores import ScoreOptions, score_systems, tokenizer_for
from s2s.files import write_json
from s2s.hardware import open_device
from s2s.inference.translator import Translator
from s2s.log import say

HERE = Path(__file__).resolve().parent
PLAN, RECORD = HERE / "cells.toml", HERE / "cells.json"
WARM_UP = 20
"""Segments that are translated before the clock starts."""


@click.command()
@click.option("--data", "folder", required=True, type=click.Path(path_type=Path), help="Prepared data of Multi30k.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Folder for the runs; finished ones stay."
)
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Runs at once, a thread each.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(min=1), help="Of measuring each speed.")
@click.option(
    "--seconds",
    default=40.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Of training in a round; the first ten do not count.",
)
@click.option("--record", "recorded", is_flag=True, help="Write cells.json and the README's table.")
def command(folder: Path, output: Path, jobs: int, rounds: int, seconds: float, recorded: bool) -> None:
    """Train what is not trained yet of cells.toml, score every test part, measure speeds, and write OUTPUT/cells.json.

    Cells take turns in each round of measuring, on one thread: keep the machine quiet for these minutes.
    """
    open_device("cpu", 1)
    data, plan = open_text(folder), read_plan(PLAN)
    run_plan(plan, folder, output, jobs)
    found = {"scores": [scored(plan, trial, data, output) for trial in plan.trials]}
    found["speeds"] = [
        {"cell": cell_of(plan, trial), "round": number} | speeds(plan, trial, data, output, seconds)
        for number in range(1, rounds + 1)
        for trial in plan.trials
        if trial.seed == plan.trials[0].seed
    ]
    write_json(output / RECORD.name, found)
    if recorded:
        write_json(RECORD, found)
        write_tables("translation")


def cell_of(plan: Plan, trial: Trial) -> str:
    """The cell of a trial's decoder."""
    config = read_config(plan.config, [*plan.shared, *trial.row])
    assert isinstance(config, RunConfig)
    return config.model.decoder.cell


def scored(plan: Plan, trial: Trial, data: TextData, runs: Path) -> dict[str, Any]:
    """What a trained model is worth: BLEU of every test part with the run's own search, and its parameters."""
    run = runs / trial.folder
    translator, manifest = Translator.load(run), read_manifest(run, data.path)
    parts = {name: _bleu(data, name, translator) for name in data.manifest["parts"] if name.startswith("test")}
    facts = {key: manifest[key] for key in ("seed", "minutes", "commit", "hardware", "threads", "versions")}
    parameters = read_info(resolve(run)).parameters
    return {"cell": cell_of(plan, trial), "parameters": parameters, "parts": parts} | facts


def _bleu(data: TextData, name: str, translator: Translator) -> dict[str, Any]:
    part = data.segments(name)
    systems = {"model": translate(translator, part.column("source"), name)}
    scores = score_systems(systems, [part.column("target")], ScoreOptions(tokenizer_for(data.languages[1])))
    found: dict[str, Any] = score_values(scores["model"])["bleu"]
    return found


def speeds(plan: Plan, trial: Trial, data: TextData, runs: Path, seconds: float) -> dict[str, float]:
    """Target tokens a second in training and segments of the first test part a second in translating, on one thread."""
    say(f"the speed of {cell_of(plan, trial)}")
    return {"training": _training_speed(plan, trial, data, seconds), "decoding": _decoding_speed(trial, data, runs)}


def _training_speed(plan: Plan, trial: Trial, data: TextData, seconds: float) -> float:
    limits = (f"training.max_minutes={seconds / 60}", "training.validation_interval=1000000")
    short = replace(trial, row=(*trial.row, *limits))
    with TemporaryDirectory() as folder:
        arguments = [sys.executable, "-m", "s2s", *training_command(plan, short, data.path, Path(folder))]
        ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise S2SError(f"Training to measure its speed failed: {ended.stderr.strip()}")
        lines = (Path(folder) / short.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rates: list[float] = [
        record["tokens_per_second"] for record in map(json.loads, lines) if record["kind"] == "training"
    ]
    return median(rates[1:] or rates)


def _decoding_speed(trial: Trial, data: TextData, runs: Path) -> float:
    name = next(name for name in data.manifest["parts"] if name.startswith("test"))
    sources = data.segments(name).column("source")
    translator = Translator.load(runs / trial.folder)
    translator.translate(sources[:WARM_UP])
    started = time.perf_counter()
    translator.translate(sources)
    return len(sources) / (time.perf_counter() - started)


if __name__ == "__main__":
    run(command)
