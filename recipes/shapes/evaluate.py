"""Score a run of `train.py` on its test parts, beside its baselines: `evaluate.py RUN`."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.readmes import record_result
from recipes.results import Result
from recipes.running import run
from recipes.runs import config_name
from recipes.shapes.fitting import fingerprint, load_best
from recipes.shapes.kinds import parse_shape
from recipes.shapes.task import Headline, Part, Task
from s2s.checkpoint.record import read_json
from s2s.errors import UsageError
from s2s.files import write_json


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--from-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that holds the data, as it was given to train.py.",
)
@click.option("--record", "recorded", is_flag=True, help="Add the result to the recipe's results.json and README.")
def command(folder: Path, from_dir: Path | None, recorded: bool) -> None:
    """Score RUN on every test part of its data, beside its baselines, and write RUN/results.json."""
    manifest = read_manifest(folder)
    recipe, config, build = parse_shape(manifest["config"], str(folder))
    if recorded and recipe == "memory":
        raise UsageError("One cell at one delay is no result of memory, whose measure.py records: leave --record out.")
    task = build(config, from_dir)
    if manifest["data_sha256"] != fingerprint(task):
        raise UsageError(f"The run {folder} was trained on other data than this: its test part may have been seen.")
    model = task.model()
    load_best(model, folder)
    parts = task.score(model)
    result = describe(manifest, task) | {"parts": {name: vars(part) for name, part in parts.items()}}
    result |= summarise(parts, task.headline)
    click.echo("\n".join(report(parts)))
    write_json(folder / "results.json", result)
    if recorded:
        record_result(f"shapes/{recipe}", result)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What training wrote about the run; UsageError unless it is one that has ended."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise UsageError(f"{folder} is not a training run: manifest.json is missing.")
    manifest = read_json(path)
    if not manifest.get("finished") or "recipe" not in manifest:
        raise UsageError(f"{folder} is not a finished run of recipes/shapes/train.py: train it anew.")
    return manifest


def describe(manifest: Mapping[str, Any], task: Task) -> Result:
    """What was trained, on what, where and from which commit."""
    kept = ("seed", "minutes", "parameters", "commit", "hardware", "threads", "versions")
    return {
        "corpus": task.corpus,
        "languages": task.languages,
        "config": config_name(manifest["command"]),
        **{key: manifest[key] for key in kept},
    }


def summarise(parts: Mapping[str, Part], headline: Headline) -> Result:
    """The model's headline score on the first test part, and whether it beats each of its baselines there."""
    systems = next(iter(parts.values())).systems
    score = systems["model"][headline.metric]
    sign = 1 if headline.better == "higher" else -1
    beaten = {name: sign * score > sign * systems[name][headline.metric] for name in headline.baselines}
    return {
        "headline": {"metric": headline.metric, "score": score, "signature": headline.signature},
        "beats": beaten,
    }


def report(parts: Mapping[str, Part]) -> Iterator[str]:
    """The scores of all parts, for people."""
    for name, part in parts.items():
        yield f"{name}: {part.segments:,} segments"
        for system, scores in part.systems.items():
            yield f"  {system}: " + ", ".join(f"{metric} {value:.4g}" for metric, value in scores.items())


if __name__ == "__main__":
    run(command)
