"""`s2s evaluate perplexity`: how well a language model foresees a text."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s2s.cli.options import computing_options
from s2s.errors import DataError

if TYPE_CHECKING:
    from s2s.evaluation.perplexity import Perplexity


@click.command("perplexity")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("text", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@computing_options("tokens", 2048)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(model: Path, text: Path, as_json: bool, **options: Any) -> None:
    """Perplexity of the file TEXT (plain or gzip) under MODEL, per token, per word and per character.

    MODEL is a language model, or a run for its best one. The ends of lines count as tokens, words and characters.
    """
    from s2s.evaluation.perplexity import perplexities
    from s2s.files import open_unpacked
    from s2s.inference.language import TextGenerator
    from s2s.inference.lines import Counts, count_lines, read_texts
    from s2s.inference.reports import warn_of_repairs
    from s2s.inference.results import json_line
    from s2s.log import progress

    found = TextGenerator.load(
        model, device=options["device"], precision=options["precision"], threads=options["threads"]
    )
    counts = Counts()
    with open_unpacked(text) as stream:
        scores = found.stream_scores(read_texts([stream], counts, whole=True), options["batch_tokens"])
        scores = progress(scores, "score", count_lines([text]), "lines", delay=10)
        lines = ((found.counted(score.text), len(score.tokens) - 1, score.log_prob) for score in scores)
        values = perplexities(lines, found.context, found.tokenizer_name)
    if values[0].count == 0:
        raise DataError(f"{text} holds no lines, of which nothing can be foreseen.")
    warn_of_repairs(counts.repaired)
    click.echo(json_line(_document(values)) if as_json else "\n".join([str(text), *map(_line, values)]))


def _line(found: "Perplexity") -> str:
    return f"  per {found.unit:<10}{found.value:10.2f}  {found.signature}"


def _document(values: "list[Perplexity]") -> dict[str, Any]:
    return {one.unit: {"perplexity": one.value, "count": one.count, "signature": one.signature} for one in values}
