"""`s2s train`: train a model from a config and prepared data, or resume where training stopped."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s2s.cli.options import processes_option

if TYPE_CHECKING:
    from s2s.config import BaseRunConfig


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Prepared data: what `s2s prepare` wrote.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder of the run; one that exists is resumed.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override of one config key; repeatable.")
@click.option("--from", "start", type=click.Path(path_type=Path), help="Model to start from, with its tokenizer.")
@click.option("--device", default="cpu", help="cpu, cuda, cuda:1, ... (default: cpu).")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of each process (default: one per core).")
@processes_option
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes that load data ahead for each that trains (default: 2 on a GPU, 0 on the CPU).",
)
@click.option("--check", is_flag=True, help="Read all, try an update, say what the run takes, write nothing.")
def command(
    config: Path,
    data: Path,
    output: Path | None,
    overrides: tuple[str, ...],
    start: Path | None,
    device: str,
    threads: int | None,
    processes: int,
    workers: int | None,
    check: bool,
) -> None:
    """Train a model as the file CONFIG (TOML) says.

    The same command goes on where an earlier one stopped. The run's folder can be used as a MODEL everywhere.
    """
    from s2s.cli.processes import run_together
    from s2s.config import read_config
    from s2s.errors import UsageError

    if check and processes > 1:
        raise UsageError("--processes has no effect with --check, which tries one: leave one of them out.")
    if check and workers is not None:
        raise UsageError("--workers has no effect with --check, which loads one update: leave one of them out.")
    if check and output is not None:
        raise UsageError("--output has no effect with --check, which writes nothing: leave one of them out.")
    if not check and output is None:
        raise UsageError("Name the folder of the run with --output, or try the config with --check.")
    run_config = read_config(config, overrides)
    run_together(
        processes,
        partial(
            _run,
            run_config,
            check,
            data=data,
            output=output or Path(),
            start=start,
            device=device,
            threads=threads,
            workers=workers,
        ),
    )


def _run(config: "BaseRunConfig", check: bool, **options: Any) -> None:
    """What each process does; the options are those of `TrainOptions`, which only it may import."""
    from s2s.hardware import keep_threads_awake

    keep_threads_awake()

    from s2s.training.building import TrainOptions
    from s2s.training.check import check_run
    from s2s.training.run import train

    (check_run if check else train)(config, TrainOptions(**options))
