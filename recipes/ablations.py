"""Ablations: one short run for each change of a config, scored on dev, with the table that a README shows of them."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from recipes.results import table
from s2s.errors import DataError, S2SError
from s2s.files import write_json
from s2s.log import say

SIGNATURE = "_signature"
DATA = "data="


@dataclass(frozen=True)
class Trial:
    """One run of the plan: the changes that its row names, and a seed."""

    row: tuple[str, ...]
    seed: int

    @property
    def folder(self) -> str:
        """The name of its run's folder."""
        changes = "_".join(re.sub(r"[^\w.]+", "-", change).strip("-") for change in self.row) or "unchanged"
        return f"{changes}_seed-{self.seed}"

    def source(self, data: Path) -> Path:
        """The data it is trained on: `data`, or what `data=NAME` in its row names beside that."""
        names = [change.removeprefix(DATA) for change in self.row if change.startswith(DATA)]
        return data.parent / names[-1] if names else data


@dataclass(frozen=True)
class Plan:
    """The config, the changes that every row shares (its limit, mostly), and the trials: all rows, seed by seed."""

    config: Path
    shared: tuple[str, ...]
    trials: tuple[Trial, ...]

    def sources(self, data: Path) -> list[Path]:
        """All data that its trials are trained on."""
        return list(dict.fromkeys(trial.source(data) for trial in self.trials))


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file: `config`, `shared`, `seeds` and `rows`; the row without changes comes first.

    A change is a key of the config with its value, or `data=NAME`: other prepared data.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = [(), *map(tuple, document["rows"])]
    if len(set(rows)) < len(rows):
        raise DataError(f"{path} names a row twice.")
    trials = tuple(Trial(row, seed) for seed in document["seeds"] for row in rows)
    return Plan(path.parent / document["config"], tuple(document["shared"]), trials)


def command(plan: Plan, trial: Trial, data: Path, runs: Path) -> list[str]:
    """The training command of a trial, on one thread; `data=NAME` in its row takes other data, beside `data`."""
    row = [change for change in trial.row if not change.startswith(DATA)]
    options = [part for change in (*plan.shared, *row, f"seed={trial.seed}") for part in ("--set", change)]
    folder = str(runs / trial.folder)
    return [
        "train",
        str(plan.config),
        "--data",
        str(trial.source(data)),
        "--output",
        folder,
        "--threads",
        "1",
        *options,
    ]


def run_plan(plan: Plan, data: Path, runs: Path, jobs: int) -> None:
    """Train all trials, `jobs` runs at once; S2SError names the runs that failed.

    A finished run ends its command at once, or fails when the plan or the data has changed since.
    """
    runs.mkdir(parents=True, exist_ok=True)
    waiting = sum(not finished(runs / trial.folder) for trial in plan.trials)
    say(f"{len(plan.trials)} runs in the plan, {waiting} to train")
    with ThreadPoolExecutor(jobs) as pool:
        failed = [name for name in pool.map(lambda trial: _train(plan, trial, data, runs), plan.trials) if name]
    if failed:
        raise S2SError(f"These runs failed; their .log files beside them tell why: {', '.join(failed)}.")


def _train(plan: Plan, trial: Trial, data: Path, runs: Path) -> str | None:
    """Train one trial with its messages in a file; its name when that failed."""
    with (runs / f"{trial.folder}.log").open("a", encoding="utf-8") as messages:
        arguments = [sys.executable, "-m", "s2s", *command(plan, trial, data, runs)]
        exit_code = subprocess.run(arguments, stdout=messages, stderr=messages, check=False).returncode
    say(f"{'trained' if exit_code == 0 else 'failed:'} {trial.folder}")
    return trial.folder if exit_code else None


def finished(run: Path) -> bool:
    """Whether the run was trained to its end."""
    path = run / "manifest.json"
    return path.is_file() and json.loads(path.read_text(encoding="utf-8"))["finished"] is True


def collect(plan: Plan, runs: Path, output: Path) -> list[dict[str, Any]]:
    """Write the last dev scores of all finished trials into `output`, and return them."""
    scores = [_scores(trial, runs / trial.folder) for trial in plan.trials if finished(runs / trial.folder)]
    write_json(output, scores)
    return scores


def _scores(trial: Trial, run: Path) -> dict[str, Any]:
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    last = [record for record in map(json.loads, lines) if record["kind"] == "validation"][-1]
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    names = [name for metric in _metrics(last) for name in (metric, metric + SIGNATURE)]
    facts = {name: last[name] for name in ("update", "loss", *names)}
    return {"row": list(trial.row), "seed": trial.seed, **facts, "commit": manifest["commit"]}


def _metrics(score: dict[str, Any]) -> list[str]:
    """The metrics of a validation, the one that training selects by first: those that have a signature."""
    return [name.removesuffix(SIGNATURE) for name in score if name.endswith(SIGNATURE)]


def ablation_table(scores: Sequence[dict[str, Any]]) -> str:
    """One line for each row: means over its seeds, differences to the unchanged config with the same seeds."""
    rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for score in scores:
        rows.setdefault(tuple(score["row"]), []).append(score)
    metrics = _metrics(scores[0]) if scores else []
    header = ["changed", "seeds", "dev loss"]
    for metric in metrics:
        header += [f"dev {metric.upper()}", "lowest to highest", "difference"]
    signatures = {score[metric + SIGNATURE]: None for score in scores for metric in metrics}
    lines = [_line(row, found, rows.get((), []), metrics) for row, found in rows.items()]
    return "\n".join([table(header, lines), "", *(f"- `{signature}`" for signature in signatures)])


def _line(
    row: tuple[str, ...], found: Sequence[dict[str, Any]], unchanged: Sequence[dict[str, Any]], metrics: Sequence[str]
) -> list[object]:
    cells: list[object] = [", ".join(f"`{change}`" for change in row) or "nothing", len(found)]
    cells.append(f"{mean(score['loss'] for score in found):.3f}")
    for metric in metrics:
        base = {score["seed"]: score[metric] for score in unchanged}
        values = [score[metric] for score in found]
        gains = [score[metric] - base[score["seed"]] for score in found if score["seed"] in base]
        spread = f"{min(values):.2f} to {max(values):.2f}"
        cells += [f"{mean(values):.2f}", spread, f"{mean(gains):+.2f}" if row and gains else ""]
    return cells
