"""`s2s average`: one model from the weights of several."""

from pathlib import Path

import click


@click.command()
@click.argument("models", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="MODEL...")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The model directory to write.")
def command(models: tuple[Path, ...], output: Path) -> None:
    """Average the weights of two or more models of one config and tokenizer, such as RUN/checkpoints/*.

    What `s2s tune` found for any of them is not taken over: tune the average.
    """
    from s2s.checkpoint import average
    from s2s.log import say

    average(models, output)
    say(f"{output} holds the average of {len(models)} models.")
