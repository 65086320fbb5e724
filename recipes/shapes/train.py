"""Train the model of one of these recipes: `train.py CONFIG --output RUN`."""

import sys
from pathlib import Path

import click
import tomli_w

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.running import run
from recipes.shapes.fitting import count, fingerprint, fit
from recipes.shapes.kinds import parse_shape
from s2s.config import read_document, to_document
from s2s.errors import UsageError
from s2s.files import write_json, write_text
from s2s.hardware import open_device
from s2s.log import say
from s2s.training.manifest import describe_run


@click.command()
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The folder to write: the run.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override of one config key; repeatable.")
@click.option(
    "--from-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that holds the data, where it is neither fetched nor made by formula.",
)
@click.option("--threads", type=click.IntRange(min=1), help="Threads (default: one per core).")
def command(
    config_file: Path, output: Path, overrides: tuple[str, ...], from_dir: Path | None, threads: int | None
) -> None:
    """Train as the file CONFIG (TOML) says, and keep the best model on dev."""
    if output.exists():
        raise UsageError(f"{output} exists already. Name another folder, or remove it.")
    recipe, config, build = parse_shape(read_document(config_file, overrides), str(config_file))
    device = open_device("cpu", threads)
    task = build(config, from_dir)
    say(f"{task.corpus} {task.languages}: train {len(task.train):,}, dev {len(task.dev):,}")
    output.mkdir(parents=True)
    manifest = describe_run(config, Path(from_dir or "-"), fingerprint(task), device) | {"recipe": recipe}
    write_text(output / "config.toml", tomli_w.dumps(to_document(config)))
    write_json(output / "manifest.json", manifest)
    trainer = fit(config, task, output)
    minutes = round(trainer.progress.position.seconds / 60, 2)
    weights = count(trainer.model)
    write_json(output / "manifest.json", manifest | {"finished": True, "minutes": minutes, "parameters": weights})
    say(f"trained {weights:,} weights in {minutes:.1f} minutes; the run is {output}")


if __name__ == "__main__":
    run(command)
