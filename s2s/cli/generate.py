"""`s2s generate`: texts that a language model writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from s2s.cli.options import device_options, sampling_range_options, write_results


@dataclass(frozen=True)
class Settings:
    """The options of the command, as they were given."""

    prompt: str
    samples: int
    temperature: float | None
    top_k: int | None
    top_p: float | None
    seed: int | None
    max_length: int
    stop: tuple[str, ...]
    device: str
    precision: str
    threads: int | None
    as_json: bool


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--prompt", default="", help="What each line begins with; nothing by default.")
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Lines to write.")
@sampling_range_options
@click.option("--max-length", type=click.IntRange(1, 100_000), default=256, show_default=True, help="Tokens at most.")
@click.option("--stop", multiple=True, metavar="TEXT", help="Text before which a line ends; repeatable.")
@device_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with log-probabilities of tokens.")
def command(model: Path, **options: Any) -> None:
    """Write lines that MODEL, a language model or a run for its best one, makes up.

    Each token is drawn with the probability that the model gives it. The same seed gives the same lines.
    """
    settings = Settings(**options)
    from s2s.inference.language import GenerationOptions, TextGenerator
    from s2s.log import progress

    found = TextGenerator.load(model, device=settings.device, precision=settings.precision, threads=settings.threads)
    drawn = {
        name: value
        for name in ("temperature", "top_k", "top_p", "seed")
        if (value := getattr(settings, name)) is not None
    }
    generation = GenerationOptions(
        samples=settings.samples, max_length=settings.max_length, stop=settings.stop, **drawn
    )
    samples = progress(found.stream(settings.prompt, generation), "generate", settings.samples, "lines", delay=10)
    write_results(samples, None if settings.as_json else lambda sample: sample.text)
