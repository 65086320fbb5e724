"""`s2s translate`: lines in, translations out, in order, each as soon as it is ready."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from s2s import ranks
from s2s.cli.options import (
    computing_options,
    end_with_skipped,
    ensemble_option,
    lm_options,
    processes_option,
    sampling_range_options,
    tell_of_idle_lm,
    write_results,
)
from s2s.cli.processes import run_together
from s2s.errors import UsageError

if TYPE_CHECKING:
    from s2s.group import Group
    from s2s.inference.lines import ByteStream
    from s2s.inference.translator import TranslationOptions, Translator
    from s2s.search import SamplingOptions


@dataclass(frozen=True)
class Settings:
    """The options of the command, as they were given."""

    beam_size: int | None
    n_best: int
    length_penalty: float | None
    max_length: int | None
    batch_tokens: int
    device: str
    precision: str
    threads: int | None
    processes: int
    ensemble_with: tuple[Path, ...]
    lm: Path | None
    lm_weight: float | None
    sample: bool
    temperature: float | None
    top_k: int | None
    top_p: float | None
    seed: int | None
    as_json: bool


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[FILE]...")
@click.option("--beam-size", type=click.IntRange(1, 1000), help="Hypotheses kept at each step; 1 is greedy search.")
@click.option("--n-best", type=click.IntRange(min=1), default=1, help="Translations given per line; needs --json.")
@click.option("--length-penalty", type=click.FloatRange(0, 10), help="Exponent of the length in scores.")
@click.option(
    "--max-length", type=click.IntRange(1, 100_000), help="Tokens of a line, in source or translation, at most."
)
@computing_options("tokens", 2048)
@processes_option
@ensemble_option
@lm_options
@click.option("--sample", is_flag=True, help="Draw translations at random instead of searching; --n-best of each line.")
@sampling_range_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with score, tokens and alignment.")
def command(model: Path, files: tuple[Path, ...], **options: Any) -> None:
    """Translate standard input, or FILEs, line by line to standard output.

    MODEL is a model directory, a run for its best checkpoint, or an exported folder. One line in gives one line out, an
    empty one an empty one. Where an option is not given, the model's own record decides. On a terminal it is an
    interactive prompt. The exit code is 3 when lines were too long and lost their end.
    """
    settings = Settings(**options)
    for name in ("temperature", "top_k", "top_p", "seed"):
        if options[name] is not None and not settings.sample:
            raise UsageError(f"--{name.replace('_', '-')} has no effect without --sample: add it, or leave it out.")
    if settings.sample and (settings.processes > 1 or ranks.count() > 1):
        raise UsageError("What is drawn depends on the number of its line: sample with one process.")
    if settings.n_best > 1 and not settings.as_json:
        raise UsageError("--n-best needs --json: plain output has one line for each line of input. Add --json.")
    end_with_skipped(run_together(settings.processes, partial(_run, model, files, settings)))


def _run(model: Path, files: tuple[Path, ...], settings: Settings) -> int:
    """What each process does; how many lines lost their end."""
    from s2s.group import joined
    from s2s.inference.translator import Translator

    with joined(settings.device) as group:
        with group.together():
            translator = Translator.load(
                model,
                device=settings.device,
                precision=settings.precision,
                threads=settings.threads,
                ensemble_with=settings.ensemble_with,
                lm=settings.lm,
            )
            options = _search_options(translator, settings)
            tell_of_idle_lm(translator, settings.lm_weight)
        return _translate(translator, files, settings, options, group)


def _translate(
    translator: "Translator",
    files: tuple[Path, ...],
    settings: Settings,
    options: "TranslationOptions",
    group: "Group",
) -> int:
    from s2s.inference.lines import Counts, count_lines, read_texts
    from s2s.inference.reports import warn_of_cuts, warn_of_repairs
    from s2s.log import progress

    counts = Counts()
    windows = read_texts(_streams(files, translator.languages[0]), counts)
    translations = translator.stream(windows, options, group)
    with group.together():
        total = count_lines(files) if files and group.leads else None
    if total is not None:
        translations = progress(translations, "translate", total, "lines", delay=10)
    cut = write_results(translations, None if settings.as_json else lambda translation: translation.text)
    warn_of_repairs(counts.repaired)
    warn_of_cuts(cut, translator.settle(options).max_length)
    return cut


def _search_options(translator: "Translator", settings: Settings) -> "TranslationOptions":
    """How to search; UsageError when an option could not change the output."""
    from s2s.inference.translator import TranslationOptions

    options = TranslationOptions(
        settings.beam_size,
        settings.n_best,
        settings.length_penalty,
        settings.max_length,
        settings.batch_tokens,
        settings.lm_weight,
        _sampling(settings),
        settings.seed,
    )
    unranked = settings.sample or translator.settle(options).beam_size == 1
    if unranked and settings.length_penalty is not None and not settings.as_json:
        how = "--sample: remove it" if settings.sample else "a beam of 1: remove it, or give --beam-size"
        raise UsageError(f"--length-penalty has no effect with {how}.")
    return options


def _sampling(settings: Settings) -> "SamplingOptions | None":
    from s2s.search import SamplingOptions

    if not settings.sample:
        return None
    given = {name: getattr(settings, name) for name in ("temperature", "top_k", "top_p")}
    return SamplingOptions(**{name: value for name, value in given.items() if value is not None})


def _streams(files: tuple[Path, ...], language: str) -> "Iterator[ByteStream]":
    """The files one after the other, or standard input, with a prompt when a person types it."""
    from s2s.files import open_unpacked

    for path in files:
        with open_unpacked(path) as stream:
            yield stream
    if not files:
        yield Prompted(language) if sys.stdin.isatty() else cast("ByteStream", sys.stdin.buffer)


class Prompted:
    """Standard input with a prompt, on standard error, before each line that is waited for."""

    def __init__(self, language: str) -> None:
        self.prompt = f"{language}> "

    def fileno(self) -> int:
        """That of standard input."""
        return sys.stdin.fileno()

    def read1(self, size: int, /) -> bytes:
        """What was typed; the end of input (Ctrl-D) ends the prompt's line, too."""
        click.echo(self.prompt, nl=False, err=True)
        typed = cast("ByteStream", sys.stdin.buffer).read1(size)
        if not typed:
            click.echo(err=True)
        return typed
