"""Train every row of a recipe's ablations.toml, and bring its README into line with what came out."""

import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recipes import readmes
from recipes.ablations import collect, read_plan, run_plan
from recipes.running import run
from s2s.data.prepared import open_data

PLAN = "ablations.toml"


@click.command()
@click.argument("recipe", type=click.Choice(readmes.recipes_with(PLAN)))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Prepared data of the plan's corpus.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="Folder for the runs; finished ones stay."
)
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Runs at once, a thread each.")
def command(recipe: str, data: Path, output: Path, jobs: int) -> None:
    """Train what is not trained yet of RECIPE's plan, collect the scores of dev and write the table of ablations.

    The table is written when all runs have ended; until then, and when some fail, the one before stays.
    """
    folder = readmes.HERE / recipe
    plan = read_plan(folder / PLAN)
    for source in plan.sources(data):
        open_data(source)  # a wrong folder is told once, and not by every run
    run_plan(plan, data, output, jobs)
    collect(plan, output, folder / readmes.ABLATIONS)
    readmes.write_tables(recipe)


if __name__ == "__main__":
    run(command)
