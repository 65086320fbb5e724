"""`s2s evaluate`: scores of given hypotheses against given references."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s2s.cli.evaluate_perplexity import command as perplexity
from s2s.cli.evaluate_wer import command as wer
from s2s.cli.hypotheses import names_of, read_hypotheses
from s2s.files import read_lines

if TYPE_CHECKING:
    from s2s.evaluation.placeholders import PlaceholderCounts
    from s2s.evaluation.scores import Score


@click.group("evaluate")
def command() -> None:
    """Compare hypotheses with references, or a text with what a language model foresees."""


command.add_command(wer)
command.add_command(perplexity)


@command.command("bleu")
@click.argument("hypotheses", metavar="[HYP]...", nargs=-1)
@click.option(
    "--reference",
    "references",
    metavar="REF",
    multiple=True,
    required=True,
    help="File of references, a line for each hypothesis; give it again for further references.",
)
@click.option(
    "--tokenize",
    metavar="NAME",
    help="sacrebleu's tokenizer for BLEU. Default: that for the target language when the first REF ends in its code "
    "(test.ja: char), else 13a.",
)
@click.option("--lowercase", is_flag=True, help="Score BLEU and chrF without regard to case; TER never regards it.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def bleu(
    hypotheses: tuple[str, ...], references: tuple[str, ...], tokenize: str | None, lowercase: bool, as_json: bool
) -> None:
    """BLEU, chrF and TER of detokenised translations, with sacrebleu's signatures and 95 % confidence.

    HYP are files, plain or gzip; without one, or for `-`, standard input. Several are compared with the first by
    paired bootstrap. Placeholders are those of the first reference.
    """
    from s2s.evaluation.placeholders import count_placeholders
    from s2s.evaluation.scores import ScoreOptions, check_counts, score_systems, tokenizer_for

    systems = dict(map(read_hypotheses, names_of(hypotheses)))
    texts = [list(read_lines(Path(name))) for name in references]
    counts = {name: len(lines) for name, lines in systems.items()}
    check_counts(counts | {name: len(lines) for name, lines in zip(references, texts, strict=True)})
    language = Path(references[0].removesuffix(".gz")).suffix[1:]
    scores = score_systems(systems, texts, ScoreOptions(tokenize or tokenizer_for(language), lowercase))
    kept = {name: count_placeholders(texts[0], lines) for name, lines in systems.items()}
    output = json.dumps(_values(scores, kept, len(texts[0]))) if as_json else "\n".join(_report(scores, kept))
    click.echo(output)


def _report(scores: "dict[str, dict[str, Score]]", kept: "dict[str, PlaceholderCounts]") -> Iterator[str]:
    from s2s.evaluation.report import placeholder_line, score_lines

    for name in scores:
        yield name
        yield from score_lines(scores[name])
        if kept[name].expected or kept[name].invented:
            yield f"  {placeholder_line(kept[name])}"


def _values(
    scores: "dict[str, dict[str, Score]]", kept: "dict[str, PlaceholderCounts]", segments: int
) -> dict[str, Any]:
    from s2s.evaluation.report import score_values

    systems = [{"name": name, **score_values(scores[name]), "placeholders": asdict(kept[name])} for name in scores]
    return {"segments": segments, "systems": systems}
