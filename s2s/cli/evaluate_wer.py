"""`s2s evaluate wer`: word, character and sentence error rates of given transcripts against given references."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from s2s.cli.hypotheses import STANDARD_INPUT, names_of, read_standard_input
from s2s.errors import UsageError

if TYPE_CHECKING:
    from s2s.evaluation.error_details import Details
    from s2s.evaluation.error_rates import Rate
    from s2s.evaluation.transcripts import Transcripts


@dataclass(frozen=True)
class Evaluation:
    """What was found of each system, by its name; `ids` are the references'. No details unless they are asked for."""

    segments: int
    ids: Sequence[str] | None
    rates: Mapping[str, Mapping[str, "Rate"]]
    details: Mapping[str, "Details"]


@click.command("wer")
@click.argument("hypotheses", metavar="[HYP]...", nargs=-1)
@click.option("--reference", "references", metavar="REF", multiple=True, required=True, help="File of the references.")
@click.option(
    "--normalise",
    type=click.Choice(["none", "lower", "words"]),
    default="none",
    show_default=True,
    help="What both sides go through. none: words are what stands between white space; lower: without regard to case; "
    "words: also without punctuation, except apostrophes within words.",
)
@click.option(
    "--details", "with_details", is_flag=True, help="Add tables by speaker and by length, wrong segments, confusions."
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(
    hypotheses: tuple[str, ...], references: tuple[str, ...], normalise: str, with_details: bool, as_json: bool
) -> None:
    """Word, character and sentence error rates of transcripts in percent, with signatures and 95 % intervals.

    REF and HYP are files, plain or gzip, with a segment on each line, or, where the name ends in .jsonl or .jsonl.gz,
    with objects of id, text and, in REF, perhaps speaker. If both are such, segments are matched by id, else by line.
    Without a HYP, or for `-`, standard input gives lines. Several are compared with the first by paired bootstrap; it
    draws speakers if every reference has one and they are several, else segments.
    """
    from s2s.evaluation.transcripts import Transcripts, match, read_transcripts

    if len(references) > 1:
        raise UsageError("Error rates are those against one reference: give --reference once.")
    names = names_of(hypotheses)
    reference = read_transcripts(references[0])
    systems = [
        Transcripts(STANDARD_INPUT, read_standard_input()) if name == "-" else read_transcripts(name) for name in names
    ]
    found = _evaluate(reference, match(reference, systems), normalise, with_details)
    output = json.dumps(_values(found), ensure_ascii=False) if as_json else "\n".join(_report(found))
    click.echo(output)


def _evaluate(
    reference: "Transcripts", systems: Mapping[str, Sequence[str]], normalise: str, with_details: bool
) -> Evaluation:
    from s2s.evaluation.error_details import find_details
    from s2s.evaluation.error_rates import ErrorRateOptions, compare_systems

    speakers = reference.speakers
    rates = compare_systems(systems, reference.texts, ErrorRateOptions(normalise), speakers)
    details = {
        name: find_details(lines, reference.texts, normalise, speakers)
        for name, lines in systems.items()
        if with_details
    }
    return Evaluation(len(reference.texts), reference.ids, rates, details)


def _report(found: Evaluation) -> Iterator[str]:
    from s2s.evaluation.error_report import detail_lines, rate_lines

    for name, rates in found.rates.items():
        yield name
        yield from rate_lines(rates)
        if name in found.details:
            yield from detail_lines(found.details[name], found.ids)


def _values(found: Evaluation) -> dict[str, Any]:
    from s2s.evaluation.error_report import detail_values, rate_values

    systems = []
    for name, rates in found.rates.items():
        details = {"details": detail_values(found.details[name], found.ids)} if name in found.details else {}
        systems.append({"name": name, **rate_values(rates), **details})
    return {"segments": found.segments, "systems": systems}
