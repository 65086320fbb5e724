"""`s2s score`: log-probabilities of given translations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from s2s.cli.options import computing_options, end_with_skipped, write_results
from s2s.errors import UsageError

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True)
class Settings:
    """The options of the command, as they were given."""

    max_length: int | None
    batch_tokens: int
    device: str
    precision: str
    threads: int | None
    as_json: bool


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("source", type=FILE, metavar="SOURCE|TEXT")
@click.argument("target", type=FILE, required=False)
@click.option("--max-length", type=click.IntRange(1, 100_000), help="Tokens of a line, in source or target, at most.")
@computing_options("tokens", 2048)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with log-probabilities of tokens.")
def command(model: Path, source: Path, target: Path | None, **options: Any) -> None:
    """Log-probability of each line of TARGET as a translation of the same line of SOURCE, one number per line.

    Under a language model, of each line of TEXT. It is the natural logarithm for the whole line with its end, not
    divided by the length; of a probability of 0 it is -inf, in JSON null. MODEL is a model directory, or a run for its
    best checkpoint. The exit code is 3 when lines were too long and lost their end.
    """
    settings = Settings(**options)
    from s2s.checkpoint import read_info, resolve

    reads_lines = read_info(resolve(model)).kind == "monolingual"
    if target is not None and reads_lines:
        raise UsageError(f"{model} is a language model: give one TEXT and no translation of it.")
    if target is None:
        if not reads_lines:
            raise UsageError(f"{model} is no language model: give a SOURCE and its TARGET.")
        _score_text(model, source, settings)
        return
    from s2s.inference.lines import Counts, count_lines
    from s2s.inference.pairs import read_pairs
    from s2s.inference.reports import warn_of_cuts, warn_of_repairs
    from s2s.inference.runtime import load_for_inference
    from s2s.inference.scorer import score_pairs
    from s2s.log import progress

    loaded = load_for_inference(model, settings.device, settings.precision, settings.threads)
    longest = settings.max_length or loaded.decoding.max_length
    counts = Counts()
    scores = score_pairs(loaded, read_pairs(source, target, counts), longest, settings.batch_tokens)
    scores = progress(scores, "score", count_lines([source]), "lines", delay=10)
    cut = write_results(scores, None if settings.as_json else lambda score: f"{score.log_prob:.6f}")
    warn_of_repairs(counts.repaired)
    warn_of_cuts(cut, longest)
    end_with_skipped(cut)


def _score_text(model: Path, text: Path, settings: Settings) -> None:
    """Scores under a language model."""
    from s2s.files import open_unpacked
    from s2s.inference.language import TextGenerator
    from s2s.inference.lines import Counts, count_lines, read_texts
    from s2s.inference.reports import warn_of_repairs
    from s2s.log import progress

    if settings.max_length is not None:
        raise UsageError("--max-length has no effect under a language model, which reads lines of any length.")
    found = TextGenerator.load(model, device=settings.device, precision=settings.precision, threads=settings.threads)
    counts = Counts()
    with open_unpacked(text) as stream:
        scores = found.stream_scores(read_texts([stream], counts, whole=True), settings.batch_tokens)
        scores = progress(scores, "score", count_lines([text]), "lines", delay=10)
        write_results(scores, None if settings.as_json else lambda score: f"{score.log_prob:.6f}")
    warn_of_repairs(counts.repaired)
