"""What the scripts of recipes share: errors that end them as they end `s2s`, and the options of `evaluate.py`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from s2s.cli import boundary

PATH = click.Path(path_type=Path)


def run(command: click.Command) -> NoReturn:
    """Run a script's command and exit with the code of its outcome."""
    sys.exit(boundary.run(command))


def evaluation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What scores a run takes: the RUN (`folder`), `--data` (`data_folder`) and `--record` (`recorded`)."""
    for parameter in (
        click.option(
            "--record", "recorded", is_flag=True, help="Add the result to the recipe's results.json and README."
        ),
        click.option("--data", "data_folder", required=True, type=PATH, help="The data of the run."),
        click.argument("folder", metavar="RUN", type=PATH),
    ):
        command = parameter(command)
    return command
