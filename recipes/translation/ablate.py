"""Train every row of ablations.toml on prepared data, and bring this recipe's README into line with what came out."""

import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recipes.ablations import collect, read_plan, run_plan
from recipes.running import run
from recipes.translation.tables import ABLATIONS, write_tables
from s2s.data.parallel_text import open_text

PLAN = Path(__file__).resolve().parent / "ablations.toml"


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Prepared user-interface strings.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Folder for the runs; finished ones stay."
)
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Runs at once, a thread each.")
def command(data: Path, output: Path, jobs: int) -> None:
    """Train what is not trained yet, collect the scores of dev and write the table of ablations."""
    plan = read_plan(PLAN)
    open_text(data)  # a wrong folder is told once, and not by every run
    try:
        run_plan(plan, data, output, jobs)
    finally:
        collect(plan, output, ABLATIONS)
        write_tables()


if __name__ == "__main__":
    run(command)
