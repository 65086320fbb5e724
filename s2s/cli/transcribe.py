"""`s2s transcribe`: recordings in, transcripts out, in order."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s2s import ranks
from s2s.cli.options import (
    computing_options,
    end_with_skipped,
    ensemble_option,
    lm_options,
    processes_option,
    tell_of_idle_lm,
)
from s2s.cli.processes import run_together
from s2s.errors import UsageError

if TYPE_CHECKING:
    from s2s.audio.reading import Source
    from s2s.inference.transcriber import Transcriber, TranscriptionOptions
    from s2s.inference.transcripts import Transcript

READ = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".w64", ".caf", ".sph")
UNREAD = (".m4a", ".aac", ".wma", ".amr", ".3gp", ".mp4", ".webm")
"""The ends of names that count as audio in a folder; of the latter it is told that they cannot be read."""


@dataclass(frozen=True)
class Settings:
    """The options of the command, as they were given."""

    written_as: str
    output_dir: Path | None
    beam_size: int | None
    n_best: int
    length_penalty: float | None
    ctc_weight: float | None
    window: float | None
    one_speaker: bool
    batch_frames: int
    device: str
    precision: str
    threads: int | None
    processes: int
    ensemble_with: tuple[Path, ...]
    lm: Path | None
    lm_weight: float | None


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("audio", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="AUDIO...")
@click.option(
    "--format",
    "written_as",
    type=click.Choice(["text", "json", "srt", "vtt", "ctm"]),
    default="text",
    show_default=True,
    help="text: a line for each file; the last three have the times of words.",
)
@click.option("--output-dir", type=click.Path(path_type=Path, file_okay=False), help="Write a file for each recording.")
@click.option("--beam-size", type=click.IntRange(1, 1000), help="Hypotheses kept at each step; 1 is greedy search.")
@click.option("--n-best", type=click.IntRange(min=1), default=1, help="Texts given per passage; needs --format json.")
@click.option("--length-penalty", type=click.FloatRange(0, 10), help="Exponent of the length in scores.")
@click.option("--ctc-weight", type=click.FloatRange(0, 1), help="Share of CTC in scores.")
@click.option("--window", type=click.FloatRange(1, 3600), help="Seconds of a passage at most; default: as in training.")
@click.option("--one-speaker", is_flag=True, help="One person speaks in all: normalise by all that is heard.")
@computing_options("frames", 20_000)
@processes_option
@ensemble_option
@lm_options
def command(model: Path, audio: tuple[Path, ...], **options: Any) -> None:
    """Transcribe recordings to standard output, or to files of their own.

    MODEL is a model directory, a run for its best checkpoint, or an exported folder. AUDIO are files (WAV, FLAC, OGG,
    Opus, MP3) of any rate, folders (their recordings, sorted), or - for standard input. Long recordings are cut into
    passages where they are quietest. A file that cannot be read gives an empty line, or no file with --output-dir, and
    exit code 3.
    """
    settings = Settings(**options)
    if settings.n_best > 1 and settings.written_as != "json":
        raise UsageError("--n-best needs --format json: the others have one text for each recording.")
    named = list(_files(audio))
    files = [file for file, _ in named]
    if settings.written_as in ("srt", "vtt") and len(files) > 1 and settings.output_dir is None:
        raise UsageError(f"{len(files):,} recordings need a file each as {settings.written_as}: add --output-dir.")
    if (settings.processes > 1 or ranks.count() > 1) and Path("-") in files:
        raise UsageError("Several processes cannot read one recording from standard input: name files, or use one.")
    if settings.one_speaker and Path("-") in files:
        raise UsageError("--one-speaker reads everything twice, and cannot do so from standard input: name files.")
    targets = _targets(named, settings)
    end_with_skipped(run_together(settings.processes, partial(_run, model, files, targets, settings)))


def _run(model: Path, files: list[Path], targets: list[Path | None], settings: Settings) -> int:
    """What each process does; how many recordings had a problem."""
    from s2s.group import joined
    from s2s.inference.transcriber import Transcriber
    from s2s.log import progress

    with joined(settings.device) as group:
        with group.together():
            transcriber = Transcriber.load(
                model,
                device=settings.device,
                precision=settings.precision,
                threads=settings.threads,
                ensemble_with=settings.ensemble_with,
                lm=settings.lm,
            )
            options = _options(transcriber, settings)
            tell_of_idle_lm(transcriber, settings.lm_weight)
            heard = None
            if settings.one_speaker and group.leads:
                heard = transcriber.listen(progress(files, "listen to the speaker", unit="files"))
        options = replace(options, speaker=group.share(heard))
        transcripts = transcriber.stream(map(_source, files), options, group)
        return _write(transcripts, targets, settings) if group.leads else len(list(transcripts))


def _files(audio: tuple[Path, ...]) -> Iterator[tuple[Path, Path]]:
    """The recordings that were named, folders opened, and the name of each: its path in the folder, without its end.

    UsageError for a folder without any.
    """
    for path in audio:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix.lower() in READ + UNREAD and file.is_file())
            if not found:
                raise UsageError(f"{path} holds no recordings: no file whose name ends in {', '.join(READ)}.")
            yield from ((file, file.relative_to(path).with_suffix("")) for file in found)
        else:
            yield path, Path("standard-input" if str(path) == "-" else path.stem)


def _targets(named: list[tuple[Path, Path]], settings: Settings) -> list[Path | None]:
    """Where each transcript goes, None for standard output; UsageError when two go to one place."""
    if settings.output_dir is None:
        return [None] * len(named)
    from s2s.inference.captions import SUFFIXES

    targets: dict[Path, Path] = {}
    for file, name in named:
        target = settings.output_dir / name.with_name(name.name + SUFFIXES[settings.written_as])
        if target in targets:
            raise UsageError(f"{targets[target]} and {file} would both be written to {target}: rename one.")
        targets[target] = file
    settings.output_dir.mkdir(parents=True, exist_ok=True)
    return list(targets)


def _write(transcripts: Iterator["Transcript"], targets: list[Path | None], settings: Settings) -> int:
    """Write each transcript where it belongs, and say what came of all."""
    from s2s.files import write_text
    from s2s.inference.captions import FORMATS
    from s2s.log import progress, say, warn

    write = FORMATS[settings.written_as]
    started, seconds, problems, cuts = time.monotonic(), 0.0, 0, 0
    for transcript, target in zip(
        progress(transcripts, "transcribe", len(targets), "files", delay=10), targets, strict=True
    ):
        if target is None:
            sys.stdout.buffer.write(write(transcript).encode())
            sys.stdout.buffer.flush()
        elif transcript.passages or transcript.problem is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_text(target, write(transcript))
        seconds += transcript.seconds
        problems += transcript.problem is not None
        cuts += sum(passage.cut for passage in transcript.passages)
        if transcript.problem is not None:
            warn(transcript.problem)
    passed = time.monotonic() - started
    if seconds:
        say(f"{seconds:.1f} s of audio in {passed:.1f} s: real-time factor {passed / seconds:.3f}")
    if cuts:
        warn(f"{cuts:,} passages had no end at the longest length a text may have, and may lack the rest.")
    if problems:
        warn(f"{problems:,} of {len(targets):,} recordings could not be read, or not to their end.")
    return problems


def _options(transcriber: "Transcriber", settings: Settings) -> "TranscriptionOptions":
    """How to search; UsageError when an option could not change the output."""
    from s2s.inference.captions import TIMED
    from s2s.inference.transcriber import TranscriptionOptions

    options = TranscriptionOptions(
        settings.beam_size,
        settings.n_best,
        settings.length_penalty,
        settings.ctc_weight,
        settings.window,
        settings.batch_frames,
        lm_weight=settings.lm_weight,
    )
    if settings.written_as in TIMED and not transcriber.aligns:
        raise UsageError(
            f"--format {settings.written_as} needs times, which only a model with CTC has. Give text or json."
        )
    greedy = transcriber.settle(options).beam_size == 1
    if greedy and settings.length_penalty is not None and settings.written_as != "json":
        raise UsageError("--length-penalty has no effect with a beam of 1: remove it, or give --beam-size.")
    return options


def _source(file: Path) -> "Source":
    return sys.stdin.buffer if str(file) == "-" else file
