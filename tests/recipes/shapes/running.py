"""Small runs of the recipes' own configs."""

from pathlib import Path
from typing import Any

from recipes import readmes
from recipes.results import Result
from recipes.shapes import evaluate, train
from recipes.shapes.kinds import parse_shape
from recipes.shapes.task import ShapeRunConfig, Task
from s2s.checkpoint.record import read_json
from s2s.config import read_document

SHAPES = readmes.HERE / "shapes"
SMALL = ("training.max_updates=6", "training.validation_interval=3", "training.batch_tokens=60")


def run_small(config: str, folder: Path, *overrides: str, from_dir: Path | None = None) -> Result:
    """Train and score as the commands do, and give back what they wrote."""
    place = ["--from-dir", str(from_dir)] if from_dir else []
    sets = [word for override in (*SMALL, *overrides) for word in ("--set", override)]
    run = folder / "run"
    train.command.main(
        [str(SHAPES / config), "--output", str(run), "--threads", "1", *sets, *place], standalone_mode=False
    )
    evaluate.command.main([str(run), *place], standalone_mode=False)
    return read_json(run / "results.json")


def read_small(config: str, *overrides: str, from_dir: Path | None = None) -> tuple[ShapeRunConfig, Task]:
    """The config with overrides, and its task."""
    _, parsed, build = parse_shape(read_document(SHAPES / config, overrides), config)
    return parsed, build(parsed, from_dir)


def scores_of(result: Result, part: str = "test") -> dict[str, Any]:
    """The scores of each system on a part."""
    systems: dict[str, Any] = result["parts"][part]["systems"]
    return systems
