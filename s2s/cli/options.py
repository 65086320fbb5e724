"""Options that several commands share, and how those commands write their results."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

if TYPE_CHECKING:
    from s2s.inference.searching import Searching

Command = TypeVar("Command", bound=Callable[..., Any])


class Result(Protocol):
    """What inference gives for one line."""

    @property
    def cut(self) -> bool:
        """Whether the line was too long and lost its end."""

    def to_json(self) -> str:
        """One line of JSON."""


processes_option = click.option(
    "--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that share the work."
)

ensemble_option = click.option(
    "--ensemble-with",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="MODEL",
    help="Another model, whose probabilities are averaged with those of MODEL; repeatable. MODEL's settings hold.",
)


def computing_options(unit: str, budget: int) -> Callable[[Command], Command]:
    """Adds --batch-tokens (or another unit), --device, --precision and --threads."""

    def decorate(command: Command) -> Command:
        for option in _options(unit, budget):
            command = option(command)
        return command

    return decorate


def lm_options(command: Command) -> Command:
    """Adds --lm and --lm-weight."""
    for option in (
        click.option(
            "--lm-weight",
            type=click.FloatRange(0, 10),
            help="Factor of the language model's log-probabilities; default: what `s2s tune` found with this one.",
        ),
        click.option("--lm", type=click.Path(path_type=Path), help="Language model that takes part in the search."),
    ):
        command = option(command)
    return command


def device_options(command: Command) -> Command:
    """Adds --device, --precision and --threads."""
    for option in _device_options():
        command = option(command)
    return command


def sampling_range_options(command: Command) -> Command:
    """Adds --temperature, --top-k, --top-p and --seed, which are None where they are not given."""
    for option in (
        click.option("--seed", type=click.IntRange(min=0), help="Of what is drawn (default: 1)."),
        click.option("--top-p", type=float, help="Draw from the likeliest tokens that together have this probability."),
        click.option("--top-k", type=click.IntRange(min=1), help="Draw from so many likeliest tokens."),
        click.option("--temperature", type=float, help="Below 1, likely tokens become likelier (default: 1)."),
    ):
        command = option(command)
    return command


def _options(unit: str, budget: int) -> Iterator[Callable[[Any], Any]]:
    yield from _device_options()
    yield click.option(
        f"--batch-{unit}",
        type=click.IntRange(min=1),
        default=budget,
        show_default=True,
        help=f"Source {unit} computed at once, padding included.",
    )


def _device_options() -> Iterator[Callable[[Any], Any]]:
    yield from (
        click.option("--threads", type=click.IntRange(min=1), help="Threads of each process; by default one per core."),
        click.option(
            "--precision",
            type=click.Choice(["float32", "bfloat16", "int8"]),
            default="float32",
            show_default=True,
            help="bfloat16 and int8 are faster where the hardware has them, and less exact; int8 is for CPUs.",
        ),
        click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ..."),
    )


def tell_of_idle_lm(found: "Searching", weight: float | None) -> None:
    """One line when a language model takes no part, since the weight that was tuned for it is 0."""
    from s2s.log import say

    if found.lm is not None and weight is None and found.decoding.lm_weight == 0:
        say(f"{found.lm} takes no part: `s2s tune` gave it the weight 0. Leave out --lm, or force it by --lm-weight.")


def write_results(results: Iterable[Result], plain: Callable[[Any], str] | None) -> int:
    """Write each result at once, as JSON without `plain`; returns how many lines lost their end."""
    output = sys.stdout.buffer
    cut = 0
    for result in results:
        text = result.to_json() if plain is None else plain(result)
        output.write(text.encode() + b"\n")
        output.flush()
        cut += result.cut
    return cut


def end_with_skipped(cut: int) -> None:
    """Leave with exit code 3 when lines lost their end."""
    if cut:
        click.get_current_context().exit(3)
