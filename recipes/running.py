"""What the scripts of all recipes share: errors that end them as they end `s2s`."""

import sys
from typing import NoReturn

import click

from s2s.cli import boundary


def run(command: click.Command) -> NoReturn:
    """Run a script's command and exit with the code of its outcome."""
    sys.exit(boundary.run(command))
